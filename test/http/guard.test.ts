// What a mounted handler refuses: requests of others, and profiles that its server would cut off.
import { createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import express from 'express';
import fastify from 'fastify';
import t, { type Test } from 'tap';
import { type HandlerOptions, handler, type serve } from '#dist/http.js';
import { start } from '#dist/index.js';

start();

interface Answer {
  status: number;
  body: string;
  headers: IncomingMessage['headers'];
}

/** Unlike `fetch`, with whatever headers. Rejects where the connection ends early. */
function ask(port: number, headers: Record<string, string> = {}, page = 'cmdline', host = '127.0.0.1') {
  return new Promise<Answer>((resolve, reject) => {
    const path = `/debug/pprof/${page}`;
    get({ port, host, path, headers, agent: false }, (response) => {
      const { statusCode: status = 0 } = response;
      text(response).then((body) => resolve({ status, body, headers: response.headers }), reject);
    }).once('error', reject);
  });
}

async function listen(t: Test, server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const mount = (t: Test, options?: HandlerOptions, host?: string) =>
  listen(t, createServer(handler(options) as RequestListener), host);

const FORWARDED: Record<string, string>[] = [
  { 'X-Forwarded-For': '203.0.113.5' },
  { 'x-forwarded-for': '127.0.0.1' },
  { 'X-Forwarded-Host': 'localhost' },
  { 'X-Forwarded-Proto': 'https' },
  { Forwarded: 'for=203.0.113.5' },
  { Via: '1.1 proxy' },
  { 'X-Real-IP': '203.0.113.5' },
  { Host: 'shop.example' },
  { Host: 'localhost.shop.example:80' },
];

t.test('without a token, a mounted handler serves this machine only', async (t) => {
  const port = await mount(t);
  for (const headers of [{}, { Host: 'localhost:3000' }, { Host: '[::1]' }, { Host: 'app.localhost' }]) {
    t.equal((await ask(port, headers)).status, 200, JSON.stringify(headers));
  }
  for (const page of ['', 'cmdline', 'heap', 'symbol', 'flame', 'allocs?seconds=1', 'nosuch']) {
    t.equal((await ask(port, FORWARDED[0], page)).status, 403, page || 'index');
  }
  for (const headers of FORWARDED) {
    const { status, body, headers: answered } = await ask(port, headers);
    t.equal(status, 403, JSON.stringify(headers));
    t.match(body, /set a token .* or insecure: true/);
    t.equal(answered['x-go-pprof'], '1', 'go tool pprof shows why');
    t.notMatch(body, '203.0.113.5', 'nothing of the request comes back');
  }
});

t.test('serve() does not take a proxy in front of it for this machine', async (t) => {
  const server = await (require('#dist/http.js') as { serve: typeof serve }).serve({ port: 0 });
  t.teardown(() => server.close());
  t.equal((await ask(server.port)).status, 200);
  for (const headers of FORWARDED) t.equal((await ask(server.port, headers)).status, 403);
});

t.test('a peer that is another machine', async (t) => {
  const [address] = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  if (address === undefined)
    t.comment('this machine has no address but loopback: only the model of it is tested');
  else {
    // The peer of a connection to an own address has that address.
    const port = await mount(t, {}, '0.0.0.0');
    const refused = await ask(port, {}, 'heap', address.address);
    t.equal(refused.status, 403, address.address);
    t.match(refused.body, 'from another machine');
    t.equal((await ask(port, {}, 'heap')).status, 200, 'by loopback');
  }
  const pprof = handler();
  for (const [remoteAddress, status] of [
    ['203.0.113.5', 403],
    ['::ffff:203.0.113.5', 403],
    ['fe80::1', 403],
    [undefined, 403],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
    ['127.9.9.9', 200],
  ] as const) {
    const port = await listen(
      t,
      createServer((request, response) => {
        Object.defineProperty(request.socket, 'remoteAddress', { value: remoteAddress });
        pprof(request, response);
      }),
    );
    t.equal((await ask(port)).status, status, String(remoteAddress));
  }
});

t.test('a token, or insecure: true, serves all who have it', async (t) => {
  const port = await mount(t, { token: 'secret' });
  t.equal((await ask(port)).status, 401);
  for (const headers of [{}, ...FORWARDED]) {
    t.equal((await ask(port, { ...headers, Authorization: 'Bearer secret' })).status, 200);
  }
  const open = await mount(t, { insecure: true });
  for (const headers of FORWARDED) t.equal((await ask(open, headers)).status, 200);
  const both = await mount(t, { insecure: true, token: 'secret' });
  t.equal((await ask(both)).status, 401, 'a token is always asked for');
  t.throws(() => handler({ insecure: 1 } as never), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
});

t.test('requests for other paths go to next, or get 404', async (t) => {
  const app = express();
  app.use(handler());
  app.get('/', (_request, response) => void response.send('the app'));
  const port = await listen(t, createServer(app));
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: FORWARDED[0]! });
  t.equal(await response.text(), 'the app');
});

// A second less than what is asked for.
const TIMEOUT_MS = 1000;
const TEXT =
  "profile duration exceeds server's WriteTimeout: seconds=2, and this server closes connections after 1 s without data " +
  '(server.timeout)\n';

t.test('a profile that takes longer than the server lets it is refused, with both numbers', async (t) => {
  const isRefused = async (name: string, port: number) => {
    for (const page of ['heap?seconds=2', 'allocs?seconds=2', 'flame?seconds=2']) {
      const { status, body, headers } = await ask(port, {}, page);
      t.strictSame({ status, body }, { status: 400, body: TEXT }, `${name}: ${page}`);
      t.equal(headers['x-go-pprof'], '1');
    }
    t.equal((await ask(port, {}, 'heap')).status, 200, `${name}: what takes no time`);
    t.match((await ask(port, {}, 'heap?seconds=1')).status, 400, 'exactly as long, as in Go');
  };
  const byProperty = createServer(handler() as RequestListener);
  byProperty.timeout = TIMEOUT_MS;
  await isRefused('server.timeout', await listen(t, byProperty));
  const byCall = createServer(handler() as RequestListener);
  byCall.setTimeout(TIMEOUT_MS);
  await isRefused('server.setTimeout', await listen(t, byCall));
  const pprof = handler();
  const byRequest = createServer((request, response) => {
    request.setTimeout(TIMEOUT_MS);
    pprof(request, response);
  });
  await isRefused('request.setTimeout', await listen(t, byRequest));
  const app = fastify({ connectionTimeout: TIMEOUT_MS });
  app.all('/debug/pprof/*', (request, reply) => {
    reply.hijack();
    pprof(request.raw, reply.raw);
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  await isRefused('connectionTimeout of Fastify', (app.server.address() as AddressInfo).port);
});

t.test('timeouts that do not cut a response do not refuse one', async (t) => {
  const server = createServer(
    { requestTimeout: 1000, headersTimeout: 1000, keepAliveTimeout: 1000, connectionsCheckingInterval: 100 },
    handler() as RequestListener,
  );
  const port = await listen(t, server);
  t.equal((await ask(port, {}, 'heap?seconds=3')).status, 200, 'of requests, headers and pauses');
  // The second request of a connection that waited for it.
  const socket = createConnection(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let got = '';
  socket.setEncoding('latin1').on('data', (data: string) => (got += data));
  const until = async (pattern: RegExp, seconds: number) => {
    for (const end = Date.now() + seconds * 1000; !pattern.test(got) && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  socket.write('GET /debug/pprof/cmdline HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(/HTTP\/1.1 200/, 60);
  got = '';
  socket.write('GET /debug/pprof/heap?seconds=2 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(/HTTP\/1.1 \d+/, 60);
  t.match(got, /^HTTP\/1.1 200 /);

  const long = createServer(handler() as RequestListener);
  long.timeout = 60_000;
  t.equal((await ask(await listen(t, long), {}, 'heap?seconds=1')).status, 200, 'long enough');
});

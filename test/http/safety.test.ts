import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startApp } from '../support/http-app.js';

// Its thread can run built code only.
const { handler, serve }: typeof import('#dist/http.js') = require('#dist/http.js');

/** Sends bytes as they are, and perhaps no more after them; resolves to the answer's status, 0 if there was none. */
async function send(origin: string, bytes: string | Buffer, end: boolean): Promise<number> {
  const { port, hostname } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.setTimeout(5000, () => socket.destroy());
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
    if (answer.includes('\r\n\r\n')) socket.destroy();
  });
  if (end) socket.end(bytes);
  else socket.write(bytes);
  await once(socket, 'close');
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
}

t.test('a host that others can reach needs a token, or insecure: true', async (t) => {
  for (const host of [
    '0.0.0.0',
    '::',
    '192.0.2.1',
    'example.com',
    'localhost.example.com',
    '::ffff:192.0.2.1',
  ]) {
    await t.rejects(
      serve({ port: 0, host }),
      { code: 'ERR_MEMPROF_INSECURE', message: /token|insecure/ },
      host,
    );
  }
  const open = await serve({ port: 0, host: '0.0.0.0', insecure: true });
  t.equal((await fetch(`http://127.0.0.1:${open.port}/debug/pprof/cmdline`)).status, 200);
  await open.close();
  for (const host of ['127.0.0.1', 'localhost', '::1', '127.1.2.3']) {
    const server = await serve({ port: 0, host });
    t.equal((await fetch(`${server.url}cmdline`)).status, 200, server.url);
    await server.close();
  }
});

t.test('arguments', async (t) => {
  const wrong: [unknown, string][] = [
    [{ port: -1 }, 'ERR_MEMPROF_OUT_OF_RANGE'],
    [{ port: '6060' }, 'ERR_MEMPROF_INVALID_ARG_TYPE'],
    [{ host: '' }, 'ERR_MEMPROF_INVALID_ARG_TYPE'],
    [{ token: '' }, 'ERR_MEMPROF_INVALID_ARG_TYPE'],
    [{ insecure: 1 }, 'ERR_MEMPROF_INVALID_ARG_TYPE'],
    [{ maxConcurrent: 0 }, 'ERR_MEMPROF_OUT_OF_RANGE'],
    [{ maxDuration: 1e9 }, 'ERR_MEMPROF_OUT_OF_RANGE'],
    [null, 'ERR_MEMPROF_INVALID_ARG_TYPE'],
  ];
  for (const [options, code] of wrong)
    await t.rejects(serve(options as object), { code }, JSON.stringify(options));
  t.throws(() => handler({ token: '' }), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
});

t.test('a port that is taken is an error, and no more', async (t) => {
  const first = await serve({ port: 0 });
  await t.rejects(serve({ port: first.port }), {
    code: 'ERR_MEMPROF_SERVER',
    message: /EADDRINUSE/,
    cause: { code: 'EADDRINUSE' },
  });
  t.equal((await fetch(`${first.url}cmdline`)).status, 200, 'the first one goes on');
  await first.close();
  const again = await serve({ port: first.port });
  t.equal(again.port, first.port, 'free again after close()');
  await again.close();
});

t.test('a token', async (t) => {
  const server = await serve({ port: 0, token: 'secret' });
  t.teardown(() => server.close());
  const ask = (headers: Record<string, string>, path = 'heap') => fetch(server.url + path, { headers });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const refused = await ask({});
  t.equal(refused.status, 401);
  t.match(refused.headers.get('www-authenticate'), /^Basic realm=/);
  t.equal(refused.headers.get('x-go-pprof'), '1', 'go tool pprof shows why');
  t.match(await refused.text(), /^a token is required: /);
  for (const authorization of [
    'Bearer wrong',
    'Bearer secret2',
    'Bearer',
    'secret',
    basic('secret:'),
    basic('x:y'),
  ]) {
    const response = await ask({ authorization });
    t.equal(response.status, 401, authorization);
    t.match(await response.text(), /^the token is wrong: /);
  }
  for (const authorization of ['Bearer secret', 'bearer secret', basic('any:secret'), basic(':secret')]) {
    t.equal((await ask({ authorization })).status, 200, authorization);
  }
  t.equal((await ask({}, 'nosuch')).status, 401, 'nothing is told without it');
});

t.test('a web page cannot read by making its own name point here', async (t) => {
  const server = await serve({ port: 0 });
  t.teardown(() => server.close());
  const origin = `http://127.0.0.1:${server.port}`;
  const get = (host: string) =>
    send(origin, `GET /debug/pprof/heap HTTP/1.1\r\nHost: ${host}\r\n\r\n`, false);
  t.equal(await get('evil.example:6060'), 403);
  t.equal(await get('localhost.evil.example'), 403);
  for (const host of ['localhost', '127.0.0.1:1234', '[::1]:80', 'app.localhost'])
    t.equal(await get(host), 200, host);
  const response = await fetch(`${server.url}heap`, { headers: { origin: 'http://evil.example' } });
  t.notOk(
    [...response.headers.keys()].some((name) => name.startsWith('access-control')),
    'no CORS',
  );
});

t.test('methods', async (t) => {
  const server = await serve({ port: 0 });
  t.teardown(() => server.close());
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const response = await fetch(`${server.url}heap`, { method });
    t.equal(response.status, 405, method);
    t.equal(response.headers.get('allow'), 'GET, HEAD');
  }
  t.equal((await fetch(`${server.url}symbol`, { method: 'PUT' })).status, 405);
  const head = await fetch(`${server.url}heap`, { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal((await head.arrayBuffer()).byteLength, 0);
  t.equal((await fetch(`${server.url}symbol`, { method: 'POST', body: '0x1+0x2' })).status, 200);
});

t.test('the number of profiles at a time, and their time, are limited', async (t) => {
  const server = await serve({ port: 0, maxConcurrent: 2, maxDuration: 4000 });
  t.teardown(() => server.close());
  /** The first answer that has or has not the status 429; or the last in 3 s, which is less than profiles of 4 take. */
  const untilRefused = async (refused: boolean) => {
    for (const end = Date.now() + 3000; ; await sleep(20)) {
      const response = await fetch(`${server.url}heap`);
      if ((response.status === 429) === refused || Date.now() > end) return response;
      await response.arrayBuffer();
    }
  };
  const slow = [fetch(`${server.url}heap?seconds=4`), fetch(`${server.url}heap?seconds=4`)];
  const refused = await untilRefused(true);
  t.equal(refused.status, 429);
  t.equal(refused.headers.get('retry-after'), '1');
  t.match(await refused.text(), 'already making 2 profiles');
  t.equal((await fetch(`${server.url}cmdline`)).status, 200, 'what costs nothing is answered');
  for (const each of slow) t.equal((await each).status, 200);
  t.equal((await untilRefused(false)).status, 200, 'and then there is room again');
  t.equal((await fetch(`${server.url}heap?seconds=5`)).status, 400);

  // Clients that leave give their place back.
  const leave = new AbortController();
  const left = [0, 1].map(() => fetch(`${server.url}heap?seconds=4`, { signal: leave.signal }));
  t.equal((await untilRefused(true)).status, 429);
  leave.abort();
  for (const each of left) await t.rejects(each);
  t.equal((await untilRefused(false)).status, 200);
});

t.test('nothing of the request comes back unescaped', async (t) => {
  const server = await serve({ port: 0 });
  t.teardown(() => server.close());
  const evil = '<script>alert(1)</script>';
  for (const path of [
    evil,
    `heap?debug=1&x=${evil}`,
    `symbol?${evil}`,
    `flame?type=${evil}`,
    `heap?seconds=${evil}`,
  ]) {
    t.notMatch(await (await fetch(server.url + path)).text(), 'alert(1)', path);
  }
});

t.test('2,000 malformed requests', { timeout: 600_000 }, async (t) => {
  const { origin, child } = await startApp(t, 'idle');
  // xorshift32, so that a failure can be had again.
  let seed = 12345;
  const random = (below: number) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % below;
  };
  const paths = [
    '/debug/pprof/heap',
    '/debug/pprof/',
    '/debug/pprof/symbol',
    '/pprof/heap',
    '/debug/pprof/flame',
  ];
  const pieces = [
    '%',
    '%zz',
    '%00',
    '?',
    '&&==',
    '//',
    '/..',
    'debug=',
    'seconds=9e9',
    'gc=',
    '\u0000',
    'é',
    'x'.repeat(9000),
  ];
  const statuses = new Map<number, number>();
  const round = async () => {
    const method = ['GET', 'POST', 'HEAD', 'get', '\x01', 'GET '][random(6)]!;
    let path = paths[random(paths.length)]!;
    for (let i = random(4); i > 0; i--) path += pieces[random(pieces.length)];
    const headers = [
      'Host: localhost',
      `Content-Length: ${['0', '-1', '99999999', 'x', '5'][random(5)]}`,
      `Transfer-Encoding: ${['chunked', 'x', ''][random(3)]}`,
      `Authorization: ${['Basic %%%', 'Bearer', ''][random(3)]}`,
    ].filter(() => random(2) === 0);
    const request = `${method} ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${'z'.repeat(random(20))}`;
    const bytes = Buffer.from(request, 'latin1').subarray(
      0,
      random(8) === 0 ? random(request.length) : undefined,
    );
    const status = await send(origin, bytes, true);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  for (let i = 0; i < 100; i++) await Promise.all(Array.from({ length: 20 }, round));
  t.comment(Object.fromEntries(statuses));
  t.strictSame(
    [...statuses.keys()].filter((status) => status >= 500),
    [],
    'no failure of the server',
  );
  t.ok((statuses.get(200) ?? 0) > 0 && (statuses.get(400) ?? 0) > 0, 'some are fine, some are not');
  t.equal(child.exitCode, null);
  t.equal((await fetch(`${origin}/debug/pprof/heap`)).status, 200, 'it answers as before');
});

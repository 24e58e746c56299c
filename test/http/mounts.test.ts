import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import middie from '@fastify/middie';
import express from 'express';
import fastify from 'fastify';
import Koa from 'koa';
import t, { type Test } from 'tap';
import { handler } from '#dist/http.js';
import { parseProfile, start } from '#dist/index.js';
import { needs } from '../support/tools.js';

start({ sampleInterval: 16384 });

async function listen(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function check(t: Test, origin: string, prefix: string): Promise<void> {
  const base = `${origin}${prefix}/debug/pprof`;
  const heap = await fetch(`${base}/heap`);
  t.equal(heap.status, 200);
  t.equal(parseProfile(Buffer.from(await heap.arrayBuffer())).sampleTypes.length, 4);
  t.match(await (await fetch(`${base}/heap?debug=1`)).text(), /^heap profile: /);
  t.match(await (await fetch(`${base}/symbol`, { method: 'POST', body: '0x1' })).text(), /^num_symbols: 1\n/);
  t.equal((await fetch(`${base}/nosuch`)).status, 404);
  t.match(await (await fetch(`${base}/`)).text(), 'Types of profiles available');
  t.equal((await fetch(`${base}/heap?seconds=0`)).status, 400);
  // The main thread serves, so the reader must not block it.
  await t.test('go tool pprof reads it', needs('go'), async (t) => {
    t.match(await goPprofAsync([`${base}/heap?debug=1`]), 'Showing nodes accounting for');
  });
  t.equal(await (await fetch(`${origin}/else`)).text(), 'the app', 'everything else is the app’s');
}

async function goPprofAsync(args: readonly string[]): Promise<string> {
  const { spawn } = await import('node:child_process');
  const { text } = await import('node:stream/consumers');
  const child = spawn('go', ['tool', 'pprof', '-top', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  return text(child.stdout);
}

t.test('node:http', async (t) => {
  const pprof = handler();
  await check(
    t,
    await listen(t, (request, response) => pprof(request, response, () => response.end('the app'))),
    '',
  );
  const alone = await listen(t, handler());
  const missing = await fetch(`${alone}/else`);
  t.equal(missing.status, 404, 'without an app');
  t.equal(await missing.text(), '404 page not found\n');
});

t.test('Express', async (t) => {
  const app = express();
  app.use(express.text({ type: '*/*' }));
  app.use(handler());
  app.get('/else', (_request, response) => {
    response.send('the app');
  });
  await check(t, await listen(t, app), '');
});

t.test('Express, below a path', async (t) => {
  const app = express();
  app.use('/internal', handler());
  app.get('/else', (_request, response) => {
    response.send('the app');
  });
  await check(t, await listen(t, app), '/internal');
});

t.test('Fastify, with middie', async (t) => {
  const app = fastify();
  await app.register(middie);
  app.use(handler());
  app.get('/else', async () => 'the app');
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  await check(t, origin, '');
});

t.test('Fastify, with raw requests', async (t) => {
  const app = fastify();
  const pprof = handler();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.removeContentTypeParser('text/plain');
  app.all('/debug/pprof/*', (request, reply) => {
    reply.hijack();
    pprof(request.raw, reply.raw);
  });
  app.get('/else', async () => 'the app');
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  await check(t, origin, '');
});

t.test('Koa', async (t) => {
  const app = new Koa();
  const pprof = handler();
  app.use(async (context, next) => {
    if (!context.path.startsWith('/debug/pprof/')) return next();
    context.respond = false;
    pprof(context.req, context.res);
  });
  app.use((context) => {
    context.body = 'the app';
  });
  await check(t, await listen(t, app.callback()), '');
});

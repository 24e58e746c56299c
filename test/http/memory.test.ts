import t from 'tap';
import { serve } from '#dist/http.js';
import { type MemoryBreakdown, memoryBreakdown, start, status, stop } from '#dist/index.js';
import { main, memprof } from '../support/cli.js';
import { runNode } from '../support/run.js';

const memprofAsync = (args: readonly string[]) => runNode(main, { flags: [], args });

t.test('the page of memory', async (t) => {
  start();
  const server = await serve({ port: 0 });
  t.teardown(async () => {
    await server.close();
    stop();
  });
  const get = async (accept?: string, query = '') => {
    const response = await fetch(
      `${server.url}memory${query}`,
      accept === undefined ? {} : { headers: { accept } },
    );
    t.equal(response.status, 200);
    t.equal(response.headers.get('vary'), 'Accept');
    return { type: response.headers.get('content-type'), body: await response.text() };
  };

  await t.test('is text by default', async (t) => {
    const { type, body } = await get();
    t.equal(type, 'text/plain; charset=utf-8');
    t.match(body, new RegExp(`^Process ${process.pid}: [\\d.]+MB resident, \\d+ threads\\n`));
    t.match(body, / 100% {2}together\n/);
  });
  await t.test('is JSON for who accepts it', async (t) => {
    const { type, body } = await get('application/json', '?gc=1');
    t.equal(type, 'application/json; charset=utf-8');
    const found = JSON.parse(body) as MemoryBreakdown;
    t.equal(
      found.parts.reduce((sum, { bytes }) => sum + bytes, 0),
      found.rss,
    );
    t.ok(found.heap!.garbage !== null && found.heap!.garbage >= 0, 'garbage is known after a collection');
    t.equal(found.heap!.threads, 2, "the program's and the server's");
  });
  await t.test('is a page for browsers, without scripts', async (t) => {
    const { type, body } = await get('text/html,application/xhtml+xml,*/*;q=0.8');
    t.equal(type, 'text/html; charset=utf-8');
    t.match(body, /^<!doctype html>/);
    t.match(body, /default-src 'none'/);
    t.notMatch(body, /<script|src=|<link/);
    t.match(body, /V8&#39;s heap<div>/);
  });
  await t.test('is on the index', async (t) => {
    t.match(await (await fetch(server.url)).text(), /<a href='memory'>memory<\/a>/);
  });
  await t.test('is what the command shows', async (t) => {
    const base = server.url.replace('/debug/pprof/', '');
    for (const url of [base, server.url, `${server.url}memory`]) {
      const { stdout, stderr, code } = await memprofAsync(['memory', '--gc', url]);
      t.equal(code, 0, stderr);
      t.match(stdout, new RegExp(`^Process ${process.pid}: .*\\n(?:.*\\n)*.*was garbage`));
    }
    const { stdout } = await memprofAsync(['memory', '--json', base]);
    t.equal((JSON.parse(stdout) as MemoryBreakdown).pid, process.pid);
  });
});

t.test('status() says how large buffers are, profiled or not', (t) => {
  const kept = [Buffer.alloc(5e6, 1)];
  const off = status().buffers;
  t.equal(off.running, false);
  t.ok(off.bytes >= 5e6, `${off.bytes} bytes`);
  start({ buffers: true });
  kept.push(Buffer.alloc(5e6, 1));
  const on = status().buffers;
  stop();
  t.equal(on.running, true);
  t.ok(Math.abs(on.bytes - off.bytes - 5e6) < 1e6, `${on.bytes} bytes, ${kept.length} of them ours`);
  t.end();
});

t.test('a process seen from outside', async (t) => {
  const keep = Array.from({ length: 50 }, () => Buffer.alloc(2 ** 20, 1));
  const { stdout, stderr, code } = memprof(['memory', '--json', String(process.pid)]);
  t.equal(code, 0, stderr);
  const found = JSON.parse(stdout) as MemoryBreakdown;
  const sum = found.parts.reduce((total, { bytes }) => total + bytes, 0);
  t.equal(sum, found.rss);
  const native = found.parts.find(({ name }) => name === 'native')!;
  t.ok(native.bytes > 40 * 2 ** 20, `${native.bytes} bytes of malloc, with ${keep.length} MiB of buffers`);
  t.match(found.problems.join(), /from outside/);
  t.match(found.verdict.text, /^What malloc holds: .* Buffers cannot be told from other native memory\.$/);
});

t.test('operands that are wrong', async (t) => {
  const expect = (args: string[], code: number, message: RegExp) => {
    const outcome = memprof(['memory', ...args]);
    t.equal(outcome.code, code, args.join(' '));
    t.match(outcome.stderr, message);
  };
  expect([], 2, /expected one process id or URL/);
  expect(['file.pb.gz'], 2, /neither a process id nor a URL/);
  expect(['--gc', '1'], 2, /--gc needs a URL/);
  expect(['999999999'], 1, /^memprof: there is no process 999999999$/m);
  expect(['http://127.0.0.1:1/'], 1, /connection refused|bad port/);
  await t.rejects(memoryBreakdown({ gc: 1 as never }), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
  await t.rejects(memoryBreakdown({ nonsense: 1 } as never), { code: 'ERR_MEMPROF_UNKNOWN_OPTION' });
});

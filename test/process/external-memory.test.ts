// Buffers that are not profiled must not look like no buffers.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { lookup, start, stop } from '#dist/index.js';
import { memprof } from '../support/cli.js';
import { report, root, startNode } from '../support/run.js';
import { testAddon } from '../support/test-addon.js';

const KEPT = 64 * 2 ** 20;
const MB = 2 ** 20;

async function startServer(t: Test, options: string): Promise<string> {
  const file = path.join(t.testdir({}), 'app.cjs');
  writeFileSync(
    file,
    `require(${JSON.stringify(path.join(root, 'dist'))}).start(${options});
    globalThis.kept = [Buffer.alloc(${KEPT}, 1)];
    gc();
    require(${JSON.stringify(path.join(root, 'dist/http'))}).serve({ port: 0 }).then(({ url }) => console.log(url));
    process.on('message', (bytes) => { kept.push(Buffer.alloc(bytes, 1)); gc(); process.send(1); });
    setInterval(() => {}, 1000);`,
  );
  const child = startNode(file, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  return new Promise((resolve) => child.stdout!.once('data', (text) => resolve(String(text).trim())));
}

t.test(
  'over HTTP: the page of buffers says that they are not profiled, the index how much there is',
  async (t) => {
    const base = await startServer(t, '');
    for (const query of ['', '?debug=1', '?gc=1', '?seconds=1']) {
      const response = await fetch(`${base}buffers${query}`);
      t.equal(response.status, 404, query);
      t.equal(response.headers.get('x-go-pprof'), '1', 'go tool pprof shows why');
      t.match(
        await response.text(),
        /^buffers are not profiled: use start\(\{ buffers: true \}\), MEMPROF_BUFFERS=1 /,
      );
    }
    const index = await (await fetch(base)).text();
    t.notMatch(index, /href='buffers/);
    t.match(index, 'buffers are not profiled');
    const [, heap, external] =
      /Heap: ([\d.]+) MB in use[\s\S]*External memory \(Buffers and others\): ([\d.]+) MB/.exec(index)!;
    t.ok(Number(external) >= KEPT / MB && Number(external) < KEPT / MB + 32, `${external} MB`);
    t.ok(Number(heap) > 0 && Number(heap) < KEPT / MB, `${heap} MB of heap`);

    const leaks = memprof(['leaks', `${base}heap?gc=1`, '--count', '2', '--every', '100ms']);
    t.equal(leaks.code, 0, leaks.stderr);
    t.match(
      leaks.stdout,
      /\noutside the heap \(Buffers and others\): (6[4-9]|7[0-9])(\.\d+)?MB at first, (6[4-9]|7[0-9])(\.\d+)?MB at last\n/,
    );
  },
);

t.test('over HTTP: buffers that are profiled', async (t) => {
  const base = await startServer(t, '{ buffers: true }');
  t.equal((await fetch(`${base}buffers`)).status, 200);
  const index = await (await fetch(base)).text();
  t.match(index, /href='buffers/);
  t.notMatch(index, 'buffers are not profiled');
});

t.test('memprof run says what is outside the heap, and leaks of its profiles', (t) => {
  const folder = t.testdir({
    'app.cjs': `globalThis.kept = Buffer.alloc(${KEPT}, 1); globalThis.more = Array(1e6).fill({}).map((_, i) => ({ i }));`,
  });
  const outside = (args: string[], dir: string) => {
    mkdirSync(path.join(folder, dir));
    const { code, stderr } = memprof(['run', '--dir', dir, ...args, 'app.cjs'], { cwd: folder });
    t.equal(code, 0);
    const [, megabytes, rest] =
      /^memprof: ([\d.]+)MB outside the heap \(Buffers and others\) at the end(.*)$/m.exec(stderr) ?? [
        stderr,
      ];
    t.ok(Number(megabytes) >= KEPT / MB && Number(megabytes) < KEPT / MB + 8, `${megabytes} MB`);
    return rest;
  };
  t.equal(outside([], 'a'), '; --buffers profiles them');
  t.equal(outside(['--buffers'], 'b'), '', 'nothing to switch on');
  outside([], 'c');
  const files = ['a', 'c'].map((dir) =>
    path.join(dir, readdirSync(path.join(folder, dir)).find((name) => !name.startsWith('memprof-peak'))!),
  );
  const leaks = memprof(['leaks', ...files], { cwd: folder });
  t.match(
    leaks.stdout,
    /\noutside the heap \(Buffers and others\): [67]\d(\.\d+)?MB at first, [67]\d(\.\d+)?MB at last\n/,
  );
  t.end();
});

/** What docs/buffers.md says of the memory that has no profile, in MiB; each takes 50. */
t.test('memory that no allocator of buffers sees is counted', async (t) => {
  const changes = await report<Record<string, number[]>>('external-kinds', {
    args: [testAddon(t, 'taking')],
  });
  const line = Number.parseInt(process.versions.node, 10);
  const wasm = line < 26 ? 50 : 0;
  const grown = line < 24 ? 0 : 50;
  const expected: typeof changes = {
    wasm: [wasm, 0],
    wasmGrows: [wasm, 0],
    resizable: [50, 0],
    resizableGrows: [grown, 0],
    growableShared: [0, 0],
    shared: [0, 50],
    string: [50, 0],
    reported: [0, 0, 50],
  };
  t.strictSame(Object.keys(changes), Object.keys(expected));
  for (const [kind, values] of Object.entries(expected)) {
    const found = changes[kind]!.slice(0, values.length);
    const isNear = found.every((value, i) => Math.abs(value - values[i]!) <= 1);
    t.ok(isNear, `${kind}: ${found.join(', ')} MiB, of ${values.join(', ')}`);
  }
});

t.test('reports of the heap say that Buffers are not profiled, and how large they are', async (t) => {
  const cwd = t.testdir({});
  const kept: object[] = [Buffer.alloc(KEPT, 1)];
  const write = async (...files: string[]) => {
    for (const file of files) {
      for (let n = 0; n < 50_000; n++) kept.push({ n });
      writeFileSync(path.join(cwd, file), await lookup('heap').encode());
    }
  };
  const reportOf = (...args: string[]) => {
    const { code, stdout, stderr } = memprof(args, { cwd });
    t.equal(code, 0, `${args.join(' ')} ${stderr}`);
    return stdout;
  };
  const off = 'Buffers are not profiled, see start\\({ buffers }\\); they take';
  const [bytes, size] = ['[6-9]\\d{7}', '[67]\\d(\\.\\d+)?MB'];
  const reports: [name: string, says: string, make: () => string | Promise<string>][] = [
    ['top', `${off} ${bytes} bytes`, () => reportOf('top', 'last')],
    ['tree', `${off} ${bytes} bytes`, () => reportOf('tree', 'last')],
    ['traces', `${off} ${bytes} bytes`, () => reportOf('traces', 'last')],
    ['raw', `${off} ${bytes} bytes`, () => reportOf('raw', 'last')],
    ['text', `${off} ${bytes} bytes`, async () => String(await lookup('heap').encode({ format: 'text' }))],
    ['flame', `${off} ${size}`, () => reportOf('flame', 'last', '-o', '-')],
    ['leaks', `${off} ${size} at last`, () => reportOf('leaks', 'first', 'last')],
    [
      'leaks as Markdown',
      `Buffers \\(not profiled\\) ${size} → ${size}`,
      () => reportOf('leaks', '--format', 'md', 'first', 'last'),
    ],
    [
      'leaks as JSON',
      `"unprofiledBufferBytes": \\[\\s*${bytes},\\s*${bytes}`,
      () => reportOf('leaks', '--format', 'json', 'first', 'last'),
    ],
  ];
  start();
  t.teardown(stop);
  await write('first', 'last');
  for (const [name, says, make] of reports) t.match(await make(), new RegExp(says), name);
  stop();
  start({ buffers: true });
  await write('first', 'last');
  for (const [name, , make] of reports.filter(([name]) => ['top', 'text', 'leaks'].includes(name))) {
    const hint = /not profiled/;
    t.notMatch(await make(), hint, `${name}: where they are profiled`);
  }
});

t.test('the thread that serves the pages tells how large the Buffers of others are', async (t) => {
  const base = await startServer(t, '');
  const text = await (await fetch(`${base}heap?gc=1&debug=1`)).text();
  const [, bytes] = /they take at most (\d+) bytes/.exec(text) ?? [];
  // Beside them there are strings outside of the heap: the sources of modules.
  t.ok(Number(bytes) >= KEPT && Number(bytes) < KEPT + 24 * MB, `${bytes} of ${KEPT}`);
});

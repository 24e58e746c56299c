// The programs of examples/, as their comments say they are run. leaky-server: attach.test.ts; prometheus:
// http/prometheus.test.ts; typescript: release/bundlers.test.ts; nest, next: release/frameworks.test.ts.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { parseProfile } from '#dist/formats/readers.js';
import { memprof, plainNode, type Run } from '../support/cli.js';
import { copyExamples, startExample } from '../support/examples.js';
import { freePort } from '../support/ports.js';
import { root } from '../support/run.js';

t.test('all are here', (t) => {
  t.same(
    readdirSync(path.join(root, 'examples')).sort(),
    [
      'README.md',
      'alloc-gate',
      'cluster',
      'labels',
      'leaky-server',
      'nest',
      'next',
      'prometheus',
      'typescript',
      'worker-pool',
    ],
    'each has a test',
  );
  t.end();
});

t.test('worker-pool', (t) => {
  const directory = copyExamples(t);
  const run = memprof(['run', '--dir', 'out', 'pool.js'], { cwd: path.join(directory, 'worker-pool') });
  t.equal(run.code, 0, run.stderr);
  t.match(run.stdout, /^2000 invoices, \d+ characters\n$/);
  t.match(run.stderr, /[\d.]+MB +[\d.]+% {2}.*pool\.js:\d+/);
  const out = path.join(directory, 'worker-pool/out');
  const file = readdirSync(out).find((name) => /^memprof\.\d/.test(name))!;
  const { samples } = parseProfile(readFileSync(path.join(out, file)));
  const inTask = samples.filter(({ stack }) =>
    stack.some(({ functionName }) => functionName === 'renderInvoice'),
  );
  const bytes = inTask.reduce((sum, { values }) => sum + values[1]!, 0);
  t.ok(bytes > 2e7, `${bytes} bytes in the tasks of workers`);
  t.end();
});

const full = process.env.MEMPROF_TEST_SOAK === '1';

/** As in its README, with a client that asks 60 times a second. */
async function leaksOfServer(t: Test, url: string, directory: string, pages: string): Promise<Run> {
  const client = spawn(process.execPath, [path.join(directory, 'leaky-server/client.js'), url, '60'], {
    stdio: 'ignore',
  });
  t.teardown(() => client.kill('SIGKILL'));
  return memprof(['leaks', `${pages}heap?gc=1`, '--count', '10', '--every', '3s']);
}

/** After as many requests, however long they take. First the report of the heap, then that of Buffers. */
async function leaksOfFiles(url: string, directory: string, pages: string): Promise<Run[]> {
  const names = { heap: 'heap?gc=1', buffers: 'buffers' };
  const files: Record<string, string[]> = { heap: [], buffers: [] };
  for (let at = 0; at < 12; at++) {
    for (let n = 0; n < 200; n += 8) {
      const answers = Array.from({ length: 8 }, (_, of) => fetch(`${url}?n=${n + of}`));
      for (const answer of answers) await (await answer).text();
    }
    for (const [name, page] of Object.entries(names)) {
      const file = path.join(directory, `${name}.${at}.pb.gz`);
      writeFileSync(file, Buffer.from(await (await fetch(pages + page)).arrayBuffer()));
      files[name]!.push(file);
    }
  }
  return Object.values(files).map((those) => memprof(['leaks', ...those]));
}

t.test('leaky-server: started with memprof, one command to the lines that leak', async (t) => {
  const began = performance.now();
  const port = await freePort();
  const { url, directory } = await startExample(t, 'leaky-server/server.js', {
    flags: ['--import', 'memprof/register'],
    env: { MEMPROF_HTTP: String(port), MEMPROF_BUFFERS: '1' },
  });
  const pages = `http://127.0.0.1:${port}/debug/pprof/`;
  const reports = full
    ? [await leaksOfServer(t, url, directory, pages)]
    : await leaksOfFiles(url, directory, pages);
  for (const { code, stderr } of reports) t.equal(code, 0, stderr);
  const all = reports.map(({ stdout }) => stdout).join('');
  // 300 objects of each request live on in `subscribe`: some 50 samples, where `likely` takes 18, 4.5 sigma less.
  t.match(all, /(certain|likely) +.*\n(.*\n){0,2} +subscribe .*server\.js:\d+\n/, all);
  // 16 KiB of each: some 70 samples.
  t.match(all, /(certain|likely) +keepUpload .*server\.js:\d+\n/, all);
  const seconds = (performance.now() - began) / 1000;
  t.comment(`${seconds.toFixed(1)} s from the start of the server`);
  if (full) t.ok(seconds < 60, 'within a minute');
});

t.test('cluster', async (t) => {
  const port = await freePort();
  const { url } = await startExample(t, 'cluster/server.js', {
    flags: ['--import', 'memprof/register'],
    env: { WORKERS: '2', MEMPROF_HTTP: String(port), MEMPROF_SAMPLE_INTERVAL: '16k' },
  });
  // 300 objects of some 10 kB: 180 samples.
  for (let at = 0; at < 300; at++) t.ok((await fetch(`${url}${at}`)).ok);
  const base = `http://127.0.0.1:${port}/debug/pprof/`;
  const members = async () => new Set((await (await fetch(base)).text()).match(/flame\?pid=\d+/g));
  while ((await members()).size < 3) await sleep(50);
  t.equal((await members()).size, 3, 'the primary and two workers');
  const all = Buffer.from(await (await fetch(`${base}heap?gc=1&pid=all`)).arrayBuffer());
  const { samples } = parseProfile(all);
  t.ok(samples.some(({ stack }) => stack.some(({ functionName }) => functionName === 'remember')));
});

const [major = 0] = process.versions.node.split('.').map(Number);
const skip = major < 24 && `Node.js ${process.version} does not keep labels`;

t.test('labels', { skip }, async (t) => {
  const { url, said } = await startExample(t, 'labels/server.js', {
    env: { PROFILES_PORT: '0', MEMPROF_SAMPLE_INTERVAL: '16k' },
  });
  const pages = said.trim().split(' ')[1]!;
  // 2,000 objects of some 32 bytes each time: 20 MB, 40 samples at the usual interval, of which acme has three in four.
  for (let at = 0; at < 320; at++) await fetch(`${url}?tenant=${at % 4 === 0 ? 'small' : 'acme'}&count=2000`);
  const tags = memprof(['tags', '--sample-index=inuse_space', `${pages}heap?gc=1`]);
  t.equal(tags.code, 0, tags.stderr);
  t.match(tags.stdout, /tenant: Total .*\n +[\d.]+MB \([\d. ]+%\): acme\n/);
});

t.test('alloc-gate', (t) => {
  const directory = path.join(copyExamples(t), 'alloc-gate');
  const bench = (file: string) => {
    const [command, ...flags] = plainNode;
    const { status, stdout, stderr } = spawnSync(command, [...flags, 'bench.js'], {
      cwd: directory,
      encoding: 'utf8',
    });
    t.equal(status, 0, stderr);
    writeFileSync(path.join(directory, file), stdout);
  };
  const gate = (...args: string[]) => memprof(['bench-compare', ...args], { cwd: directory });
  bench('before.json');
  bench('again.json');
  const same = gate('before.json', 'again.json');
  t.equal(same.code, 0, same.stdout + same.stderr);
  // The commit that a gate is for.
  const source = path.join(directory, 'parse-line.js');
  const worse = readFileSync(source, 'utf8').replace(
    'return {',
    "const parts = line.split('');\n  return { parts,",
  );
  writeFileSync(source, worse);
  bench('after.json');
  const more = gate('before.json', 'after.json');
  t.equal(more.code, 1, more.stdout);
  t.match(more.stdout, /more +parseLine, short\n/);
  t.match(more.stderr, /^memprof: more is allocated by parseLine, short; parseLine, long\n$/);
  t.match(
    gate('--format=md', 'before.json', 'after.json').stdout,
    /^\| `parseLine, long` \| .* \| more \|$/m,
  );
  t.equal(gate('after.json', 'before.json').code, 0, 'less is no failure');
  t.match(gate('after.json', 'before.json').stdout, /less +parseLine/);
  t.end();
});

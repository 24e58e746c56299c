import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { parseProfile } from '#dist/formats/readers.js';
import { memprof, plainNode, type Run } from '../support/cli.js';
import { root } from '../support/run.js';

const example = path.join(root, 'examples/leaky-server');

async function begin(
  t: Test,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<[ChildProcess, string]> {
  const { NODE_OPTIONS: _, ...own } = process.env;
  const [command, ...before] = plainNode;
  const child = spawn(command, [...before, ...args], {
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return [child, said];
}

async function hasInspector(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/json/list`)).ok;
  } catch {
    return false;
  }
}

async function untilClosed(port: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (!(await hasInspector(port))) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

t.test('from a running server to the line that leaks, in two commands at the usual interval', async (t) => {
  // An inspector's port of its own: tests beside this one may use the usual one.
  const port = 20_000 + (process.pid % 20_000);
  const [server, said] = await begin(t, [`--inspect-port=${port}`, path.join(example, 'server.js')], {
    PORT: '0',
  });
  const url = /http:\S+(?=,)/.exec(said)![0];
  // As in its README, from the first command within a minute; or four times as many requests, for a quarter of the time.
  const full = process.env.MEMPROF_TEST_SOAK === '1';
  const [perSecond, count, every] = full ? (['60', '10', '3000'] as const) : (['240', '12', '700'] as const);
  const client = spawn(process.execPath, [path.join(example, 'client.js'), url, perSecond], {
    stdio: 'ignore',
  });
  const began = performance.now();
  t.teardown(() => client.kill('SIGKILL'));
  const attached = memprof(['attach', '--buffers', String(server.pid)]);
  t.equal(attached.code, 0, attached.stderr);
  t.match(
    attached.stderr,
    /process \d+ \(server\.js, Node\.js v\d+.*\) is profiled from now on, a sample every 512kB/,
  );
  const address = attached.stdout.trim();
  t.match(address, /^http:\/\/127\.0\.0\.1:\d+\/debug\/pprof\/$/);
  t.ok(await untilClosed(port), 'the inspector is closed again');

  const leaksWith = (factor: number) =>
    memprof(['leaks', address, '--count', count, '--every', `${Number(every) * factor}ms`]);
  const found = /(certain|likely) +.*\n(.*\n){0,2} +subscribe .*server\.js:\d+\n/;
  const foundBuffers = /\nBuffers:\n(.*\n)+.*(certain|likely) +keepUpload .*server\.js:\d+\n/;
  const foundAll = ({ stdout }: Run) => found.test(stdout) && foundBuffers.test(stdout);
  let leaks = leaksWith(1);
  // A busy machine answers fewer requests in the same time.
  for (let factor = 2; !full && factor <= 8 && !foundAll(leaks); factor *= 2) leaks = leaksWith(factor);
  const seconds = (performance.now() - began) / 1000;
  t.comment(`${seconds.toFixed(1)} s from the first command`);
  if (full) t.ok(seconds < 60, 'within a minute');
  t.equal(leaks.code, 0, leaks.stderr);
  // 300 objects of each request live on in `subscribe`: some 50 samples in 8 s, where `likely` takes a dozen.
  t.match(leaks.stdout, found, leaks.stdout);
  // 16 KiB of each: as many.
  t.match(leaks.stdout, foundBuffers, leaks.stdout);

  t.match(memprof(['attach', String(server.pid)]).stderr, 'is attached already');
  const detached = memprof(['detach', String(server.pid)]);
  t.equal(detached.code, 0, detached.stderr);
  await t.rejects(fetch(address), 'its server is gone');
  t.equal(memprof(['detach', String(server.pid)]).code, 1, 'there is nothing left to detach');
  t.ok((await fetch(url)).ok, 'the program goes on');
});

t.test('an ES module, whose inspector was open and stays so', async (t) => {
  const port = 40_000 + (process.pid % 20_000);
  const file = path.join(t.testdir({}), 'app.mjs');
  writeFileSync(
    file,
    `const kept = [];
     function keepsObjects() { for (let i = 0; i < 1000; i++) kept.push({ i, of: [i] }); }
     setInterval(keepsObjects, 5);
     console.log('ready');`,
  );
  const [child] = await begin(t, [`--inspect=127.0.0.1:${port}`, file]);
  const attached = memprof(['attach', '--sample-interval=16k', String(child.pid)]);
  t.equal(attached.code, 0, attached.stderr);
  t.ok(await hasInspector(port), 'it was not ours to close');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { samples } = parseProfile(
    Buffer.from(await (await fetch(`${attached.stdout.trim()}heap?gc=1`)).arrayBuffer()),
  );
  // Some 16 MB, a thousand samples.
  t.ok(samples.some(({ stack }) => stack.some(({ functionName }) => functionName === 'keepsObjects')));
  t.equal(memprof(['detach', String(child.pid)]).code, 0);
  t.equal(child.exitCode, null);
});

t.test('processes that attach must leave alone', async (t) => {
  const other = spawn('sleep', ['60']);
  t.teardown(() => other.kill('SIGKILL'));
  const cases: [string[], number, RegExp][] = [
    [['attach', String(other.pid)], 1, process.platform === 'linux' ? /is sleep, and not Node\.js/ : /./],
    [['attach', '4194304'], 1, /there is no process 4194304/],
    [['attach', 'x'], 2, /PID must be the id of a process, not 'x'/],
    [['attach'], 2, /the id of the process is missing/],
    [['detach', '1', '2'], 2, /unexpected argument '2'/],
  ];
  for (const [args, code, expected] of cases) {
    const run = memprof(args);
    t.equal(run.code, code, args.join(' '));
    t.match(run.stderr, expected);
  }
  t.equal(other.exitCode, null, 'it lives on');
});

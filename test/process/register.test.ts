import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { optionsOf, variableName } from '#dist/base/options.js';
import { parseProfile } from '#dist/index.js';
import { readSettings } from '#dist/launch/settings.js';
import { nodeCommand, programPath, root } from '../support/run.js';

const register = path.join(root, 'dist', 'register.js');
const program = programPath('drop-in');
const FILE = /^memprof\.\d{8}\.\d{6}\.(\d+)\.(\d+)\.(\d{3})\.(pb\.gz|txt)$/;

type Env = Record<string, string>;

function command(flags: readonly string[], args: readonly string[]): [string, string[]] {
  return nodeCommand(program, { flags, args });
}

function run(env: Env, args: string[] = [], flags = ['--require', register]): SpawnSyncReturns<string> {
  return spawnSync(...command(flags, args), { encoding: 'utf8', env: { ...process.env, ...env } });
}

/** The program's own affairs, untouched. */
function isUntouched(t: Test, { status, signal, stdout }: SpawnSyncReturns<string>, output = 'done\n') {
  t.equal(status, 0);
  t.equal(signal, null);
  t.equal(stdout, output);
}

function allocatedBy(file: string, functionName: string): number {
  return parseProfile(readFileSync(file))
    .samples.filter(({ stack }) => stack.some((frame) => frame.functionName === functionName))
    .reduce((sum, { values }) => sum + values[1]!, 0);
}

t.test('with either flag it prints nothing by default', (t) => {
  const folder = t.testdir({});
  for (const flags of [
    ['--require', register],
    ['--import', pathToFileURL(register).href],
  ]) {
    const outcome = spawnSync(...command(flags, []), { encoding: 'utf8', cwd: folder });
    isUntouched(t, outcome);
    t.equal(outcome.stderr, '');
  }
  t.strictSame(readdirSync(folder), [], 'no file unless asked for');
  t.end();
});

// keepsObjects makes 9 MB, which are 140 samples at 64 KiB: 4 MB are 6.6 sigma less; 9 MB of two threads' 18 are 8.4.
t.test('a profile at exit', (t) => {
  const folder = t.testdir({});
  for (const [env, format] of [
    [{ MEMPROF_AT_EXIT: '1', MEMPROF_SAMPLE_INTERVAL: '64k', MEMPROF_DIR: path.join(folder, 'a') }, 'pb.gz'],
    [{ MEMPROF: `at-exit=on, dir=${path.join(folder, 'b')};format=txt,sample-interval=64k` }, 'txt'],
  ] as [Env, string][]) {
    const outcome = run(env);
    isUntouched(t, outcome);
    const dir = path.join(folder, format === 'txt' ? 'b' : 'a');
    const [name, ...more] = readdirSync(dir);
    t.strictSame(more, []);
    t.equal(FILE.exec(name!)?.[4], format);
    t.equal(outcome.stderr, `memprof: wrote ${path.join(dir, name!)}\n`);
    t.ok(allocatedBy(path.join(dir, name!), 'keepsObjects') > 4e6);
  }
  const text = readFileSync(path.join(folder, 'b', readdirSync(path.join(folder, 'b'))[0]!), 'utf8');
  t.match(text, /@ heap\/131072\n/, 'the interval is the one that was set');
  t.end();
});

t.test('a profile on a signal', async (t) => {
  for (const [env, signal] of [
    [{}, 'SIGUSR2'],
    [{ MEMPROF_SIGNAL: 'hup' }, 'SIGHUP'],
  ] as [Env, NodeJS.Signals][]) {
    const folder = t.testdir({});
    const child = spawn(...command(['--require', register], ['wait']), {
      env: { ...process.env, ...env, MEMPROF_SAMPLE_INTERVAL: '64k', MEMPROF_DIR: folder },
    });
    child.stdout.setEncoding('utf8');
    child.stderr.setEncoding('utf8');
    await once(child.stdout, 'data');
    const files: string[] = [];
    for (let i = 0; i < 2; i++) {
      child.kill(signal);
      const [line] = (await once(child.stderr, 'data')) as [string];
      files.push(/^memprof: wrote (.*)\n$/.exec(line)![1]!);
    }
    t.equal(new Set(files).size, 2, 'nothing is overwritten');
    for (const file of files) t.ok(allocatedBy(file, 'keepsObjects') > 4e6);
    child.stdin.end();
    const [code] = await once(child, 'exit');
    t.equal(code, 0);
  }
});

t.test('no signal is listened to when none is wanted', async (t) => {
  const child = spawn(...command(['--require', register], ['wait']), {
    env: { ...process.env, MEMPROF_SIGNAL: 'none' },
  });
  await once(child.stdout, 'data');
  child.kill('SIGUSR2');
  const [, signal] = await once(child, 'exit');
  t.equal(signal, 'SIGUSR2', 'it ends the program as ever');
});

t.test('workers and children are covered, and tell themselves apart', (t) => {
  const folder = t.testdir({});
  const inWorker = run({ MEMPROF_AT_EXIT: '1', MEMPROF_SAMPLE_INTERVAL: '64k', MEMPROF_DIR: folder }, [
    'worker',
  ]);
  isUntouched(t, inWorker, 'worker\n');
  const [name] = readdirSync(folder);
  const both = allocatedBy(path.join(folder, name!), 'keepsObjects');
  t.ok(both > 9e6, `one profile for both threads: ${both} bytes`);

  const children = t.testdir({});
  const forked = spawnSync(...command([], ['fork']), {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', MEMPROF_AT_EXIT: '1', MEMPROF_DIR: children },
  });
  t.equal(forked.status, 0);
  t.strictSame(readdirSync(children), [], 'without the flag nothing happens');
  const both2 = run({ MEMPROF_AT_EXIT: '1', MEMPROF_DIR: children }, ['fork']);
  isUntouched(t, both2, 'done\nchild 0\n');
  const pids = readdirSync(children).map((file) => FILE.exec(file)![1]);
  t.equal(new Set(pids).size, 2, 'a file for each process');
  t.end();
});

t.test('HTTP', async (t) => {
  const child = spawn(...command(['--require', register], ['wait']), {
    env: { ...process.env, MEMPROF_HTTP: '0', MEMPROF_TOKEN: 'secret' },
  });
  child.stderr.setEncoding('utf8');
  const [line] = (await once(child.stderr, 'data')) as [string];
  const url = /^memprof: serves (http:\/\/127\.0\.0\.1:\d+\/debug\/pprof\/)\n$/.exec(line)![1]!;
  t.equal((await fetch(`${url}heap`)).status, 401);
  const response = await fetch(`${url}heap`, { headers: { authorization: 'Bearer secret' } });
  t.equal(response.status, 200);
  t.equal(parseProfile(Buffer.from(await response.arrayBuffer())).period, 524288);
  child.stdin.end();
  const [code] = await once(child, 'exit');
  t.equal(code, 0, 'it does not keep the program');
});

t.test('everything that is wrong becomes one warning, and the program runs', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const cases: [Env, RegExp][] = [
    [
      { MEMPROF_SAMPLE_INTERVAL: 'often' },
      /MEMPROF_SAMPLE_INTERVAL must be bytes from 1 to 1g.*not "often": the default/,
    ],
    [
      { MEMPROF_STACK_DEPTH: '0', MEMPROF_MAX_OVERHEAD: '2' },
      /MEMPROF_STACK_DEPTH must be .*; MEMPROF_MAX_OVERHEAD must be /,
    ],
    [{ MEMPROF_SIGNAL: 'SIGKILL' }, /MEMPROF_SIGNAL must be the name of a signal that can be caught/],
    [{ MEMPROF: 'intervall=64k' }, /"intervall" in MEMPROF is unknown: did you mean sample-interval\?/],
    [{ MEMPROF_INTERVALL: '64k' }, /MEMPROF_INTERVALL is unknown: did you mean MEMPROF_SAMPLE_INTERVAL\?/],
    [{ MEMPROF_HTTP: 'x' }, /MEMPROF_HTTP must be a port, HOST:PORT, or off/],
    [{ MEMPROF_HTTP: `${port}` }, /memprof is running without its HTTP server: .*EADDRINUSE/],
    [{ MEMPROF_HTTP: '0.0.0.0:0' }, /without its HTTP server: .*token/],
    [
      { MEMPROF_DIR: '/dev/null/x' },
      /memprof is running, but will write no profile when the heap is full: E/,
    ],
  ];
  for (const [env, expected] of cases) {
    const outcome = run({ ...env }, ['worker']);
    isUntouched(t, outcome, 'worker\n');
    t.match(outcome.stderr, expected);
    t.equal(outcome.stderr.match(/MemprofWarning/g)?.length, 1, 'one warning');
  }
});

t.test('under the permission model it says which flag is missing', (t) => {
  const major = Number(process.versions.node.split('.')[0]);
  const permission = major >= 24 ? '--permission' : '--experimental-permission';
  const flags = [permission, '--allow-fs-read=*', '--require', register];
  const outcome = run({}, [], flags);
  isUntouched(t, outcome);
  t.match(outcome.stderr, /memprof is not running: .*--allow-addons/);
  const allowed = run({}, [], ['--allow-addons', '--allow-worker', ...flags]);
  isUntouched(t, allowed);
  t.notMatch(allowed.stderr, 'memprof');
  t.end();
});

t.test('settings', (t) => {
  const read = (env: Env) => readSettings(env);
  t.strictSame(
    read({ MEMPROF: 'sample-interval=1m', MEMPROF_SAMPLE_INTERVAL: '64k' }).settings.start.sampleInterval,
    65536,
    'the variable wins',
  );
  t.strictSame(read({ MEMPROF_HTTP: '[::1]:7000' }).settings.http, { port: 7000, host: '::1' });
  t.strictSame(read({ MEMPROF_HTTP: '0.0.0.0:7000' }).settings.http, { port: 7000, host: '0.0.0.0' });
  t.strictSame(read({ MEMPROF: 'http=6060', MEMPROF_HTTP: 'off' }).settings.http, undefined);
  t.strictSame(read({ MEMPROF_SAMPLE_INTERVAL: '' }), read({}), 'empty is as good as not there');
  t.strictSame(read({}).problems, []);
  for (const bad of ['', ' ', 'x', '-1', '1e99', '%s', 'SIG', '99999999999999999999']) {
    for (const option of optionsOf('register')) {
      const name = variableName(option);
      if (['MEMPROF_DIR', 'MEMPROF_TOKEN'].includes(name)) continue;
      const { settings, problems } = read({ [name]: bad });
      if (bad === '') t.strictSame(settings, read({}).settings, name);
      else t.strictSame([settings, problems.length], [read({}).settings, 1], `${name}=${bad}`);
    }
  }
  t.end();
});

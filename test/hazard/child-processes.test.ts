import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { envForChild, flagsForChild } from '#dist/base/child-flags.js';
import { main } from '../support/cli.js';
import { programPath, root, runProgram } from '../support/run.js';

const counts = programPath('counts');
const register = path.join(root, 'dist/register.js');
const script = `require(${JSON.stringify(counts)})`;

/** In a group of its own, so that what it forks without end can be ended. */
function begin(
  t: Test,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input = '',
  staysOpen = false,
): ChildProcess {
  const { NODE_OPTIONS: _, ...own } = process.env;
  // Where Node.js itself is told to be tap's child it adds NODE_OPTIONS again: `env` sets, or takes away, what is there.
  const options =
    env.NODE_OPTIONS === undefined ? ['-u', 'NODE_OPTIONS'] : [`NODE_OPTIONS=${env.NODE_OPTIONS}`];
  const child = spawn('env', [...options, process.execPath, ...args], {
    detached: true,
    env: { ...own, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  t.teardown(() => endGroup(child));
  child.stdin!.write(input);
  if (!staysOpen) child.stdin!.end();
  return child;
}

function endGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {} // All have ended.
}

interface Said {
  stdout: string;
  stderr: string;
}

/** What it says until it ends, or has said enough. */
async function listen(child: ChildProcess, enough = /$^/, seconds = 30): Promise<Said> {
  const said: Said = { stdout: '', stderr: '' };
  const timer = setTimeout(() => endGroup(child), seconds * 1000);
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
    if (enough.test(said.stdout)) endGroup(child);
  });
  await once(child, 'close');
  clearTimeout(timer);
  return said;
}

function lines(file: string): string[] {
  // A child that has just made the file has not written its line yet.
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

// Where V8 compiles in the middle of it, one call in hundreds may allocate an object more.
const FOUR = /objects 4(\.00\d*)?\s/;

interface Form {
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** Whether there may be more input. */
  staysOpen?: boolean;
}

const forms: [name: string, args: string[], form?: Form][] = [
  ['-e', ['-e', script]],
  ['--eval', ['--eval', script]],
  ['--eval=', [`--eval=${script}`]],
  ['-p', ['-p', script]],
  ['-pe', ['-pe', script]],
  ['-p -e, and a flag between', ['-p', '--no-deprecation', '-e', script]],
  ['-i', ['-i'], { input: `${script}\n`, staysOpen: true }],
  ['--input-type', ['--input-type=commonjs', '--eval', script]],
  ['--input_type and a value', ['--input_type', 'commonjs', '--eval', script]],
  ['standard input', ['-'], { input: script }],
  ['--input-type in NODE_OPTIONS', ['-e', script], { env: { NODE_OPTIONS: '--input-type=commonjs' } }],
  ['--test', ['--test', counts]],
  ['--watch', ['--watch', counts]],
  ['memprof/register', ['--require', register, counts]],
  ['memprof/register in NODE_OPTIONS', [counts], { env: { NODE_OPTIONS: `--require ${register}` } }],
  ['memprof run', [main, 'run', '-q', '--dir', t.testdirName, counts]],
];

for (const [name, args, { env, input, staysOpen } = {}] of forms) {
  t.test(`countObjects starts one child: ${name}`, async (t) => {
    const log = path.join(t.testdir({}), 'loaded');
    // The forks of the old days ended by themselves only when the machine did.
    const child = begin(t, args, { ...env, COUNTED_LOG: log }, input, staysOpen);
    const { stdout, stderr } = await listen(child, /objects [\d.]+\s|ERR_/, 20);
    t.match(stdout, FOUR);
    t.equal(lines(log).length, 1, 'the module was loaded in one process', { stderr });
  });
}

t.test('countObjects is refused in its own child', async (t) => {
  // The module counts itself, without asking whether it is the program.
  const itself = await listen(begin(t, [counts], { COUNT_MODULE: counts }));
  t.match(itself.stdout, FOUR);
  // What --require loads counts.
  const log = path.join(t.testdir({}), 'loaded');
  const required = await listen(begin(t, ['--require', counts, '-e', '0'], { COUNTED_LOG: log }));
  t.match(required.stdout, /^(objects 4(\.00\d*)?|ERR_MEMPROF_BENCH_CHILD .*)\s$/);
  t.ok(lines(log).length <= 1, 'and no child has a child');
});

function isGone(pid: string): boolean {
  try {
    // Who waits for it may be slow, or missing: then it stays as a zombie.
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return true;
  }
}

async function until(what: () => boolean, seconds: number): Promise<boolean> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    if (what()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return what();
}

for (const how of ['spins', 'waits']) {
  t.test(`the child of countObjects ends when its parent is killed: it ${how}`, async (t) => {
    const log = path.join(t.testdir({}), 'loaded');
    const child = begin(t, [counts], { COUNTED_LOG: log, COUNT_EXPORT: how });
    t.ok(await until(() => lines(log).length > 0, 300), 'the child runs');
    const [pid] = lines(log);
    await new Promise((resolve) => setTimeout(resolve, 300)); // Into the function, if it is quick.
    t.notOk(isGone(pid!));
    child.kill('SIGKILL');
    t.ok(await until(() => isGone(pid!), 300), 'it is gone');
  });
}

t.test(
  "the HTTP server's thread does not load what NODE_OPTIONS names: that may start another",
  async (t) => {
    const child = begin(t, ['-e', '0'], { NODE_OPTIONS: `--require ${programPath('serves-first')}` });
    const { stdout, stderr } = await listen(child);
    t.equal(stdout, 'thread 0\n');
    t.equal(stderr, '');
  },
);

t.test('what a covered worker forks is not profiled', async (t) => {
  const { stdout, stderr, code } = await runProgram('worker-forks');
  t.equal(stdout, 'worker running\nforked stopped 0\n');
  t.strictSame([code, stderr], [0, '']);
});

t.test('flags for a child', (t) => {
  const kept = (...flags: string[]) => flagsForChild(flags).join(' ');
  t.equal(
    kept('--expose-gc', '-e', 'x', '-r', './y.js', '--eval=z', '--max-old-space-size=64'),
    ['--expose-gc -r ./y.js --max-old-space-size=64'].join(),
  );
  t.equal(kept('-p', '-e', 'a b', '--no-opt'), '--no-opt');
  for (const flag of [
    '-c',
    '-i',
    '-pe',
    '--check',
    '--test',
    '--test-only',
    '--watch',
    '--watch-path',
    '--run',
  ]) {
    t.equal(kept('--no-opt', flag, 'value', '--no-warnings'), '--no-opt --no-warnings', flag);
  }
  for (const flag of [
    '--inspect-brk',
    '--inspect=0',
    '--inspect_brk',
    '--debug-port=1',
    '--heap-prof',
    '--cpu-prof',
  ]) {
    t.equal(kept(flag), '', flag);
  }
  t.equal(
    kept('--checkers', '--testing', '--enable-source-maps'),
    '--checkers --testing --enable-source-maps',
  );
  t.end();
});

t.test('NODE_OPTIONS for a child', (t) => {
  const kept = (NODE_OPTIONS: string) => envForChild({ NODE_OPTIONS }).NODE_OPTIONS;
  t.equal(kept('--watch'), '');
  t.equal(kept('  --no-opt   --watch --no-warnings'), '--no-opt --no-warnings');
  const quoted = '--require "/a b/\\"c\\".js" --title=\\x';
  t.equal(kept(quoted), quoted, 'as it is where nothing is to be dropped');
  t.equal(kept(`${quoted} --inspect`), '--require "/a b/\\"c\\".js" "--title=\\\\x"');
  t.equal(kept('--input-type "module" --require=" x"'), '"--require= x"');
  t.strictSame(envForChild({ A: '1' }), { A: '1' });
  t.end();
});

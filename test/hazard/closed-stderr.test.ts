import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { nodeCommand, programPath, root } from '../support/run.js';

const register = path.join(root, 'dist', 'register.js');
const runPreload = path.join(root, 'dist', 'launch', 'run-preload.js');

type Kind = 'pipe' | 'socket';

/** With a standard error whose reader is gone. */
function begin(t: Test, kind: Kind, flags: string[], args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  const own = { ...process.env, ...env };
  const [command, line] = nodeCommand(programPath('hears'), { flags: ['--expose-gc', ...flags], args });
  if (kind === 'socket') {
    const child = spawn(command, line, { env: own, stdio: 'pipe' });
    child.stderr!.destroy();
    return child;
  }
  const fifo = path.join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, 'w');
  const child = spawn(command, line, { env: own, stdio: ['pipe', 'pipe', writer] });
  closeSync(writer);
  closeSync(reader);
  return child;
}

interface Case {
  name: string;
  flags?: string[];
  args?: string[];
  env?: NodeJS.ProcessEnv;
  signal?: NodeJS.Signals;
  /** What the program's own listener to warnings hears. */
  heard?: RegExp;
}

const cases: Case[] = [
  { name: 'a profile on a signal', flags: ['--require', register], signal: 'SIGUSR2' },
  { name: 'a profile at the end', flags: ['--require', register], env: { MEMPROF_AT_EXIT: '1' } },
  { name: 'where it serves', flags: ['--require', register], env: { MEMPROF_HTTP: '0' } },
  {
    name: 'a profile that cannot be written',
    flags: ['--require', register],
    env: { MEMPROF_DIR: '/dev/null/x', MEMPROF_HEAP_LIMIT_DUMP: '0' },
    signal: 'SIGUSR2',
  },
  {
    name: 'a profile that memprof run cannot write',
    flags: ['--require', runPreload],
    env: {
      MEMPROF_RUN: JSON.stringify({
        maxOverhead: 0.05,
        buffers: false,
        dir: '/dev/null/x',
        format: 'txt',
        sourceMaps: false,
        log: '/dev/null/x',
      }),
    },
    signal: 'SIGUSR2',
  },
  { name: 'that memprof run cannot begin', flags: ['--require', runPreload], env: { MEMPROF_RUN: '{' } },
  { name: 'a wrong variable', flags: ['--require', register], env: { MEMPROF_STACK_DEPTH: 'x' } },
];
const warnings: [name: string, arg: string, heard: RegExp][] = [
  ['that memprof/register cannot start', 'register', /^heard MEMPROF_REGISTER: memprof is not running/],
  ['that V8 samples for somebody else', 'displaced', /^heard MEMPROF_DISPLACED: somebody else/],
  ['that a push failed', 'push', /^heard MEMPROF_PUSH: a profile could not be pushed/],
  ['that the HTTP server ended', 'server', /^heard undefined: memprof's HTTP server ended: out of memory/],
];
for (const [name, arg, heard] of warnings) {
  cases.push({ name, args: [arg], heard });
  cases.push({ name: `${name}, in a worker`, args: [arg, 'worker'], heard });
}

for (const kind of ['pipe', 'socket'] as const) {
  for (const { name, flags = [], args = ['nothing'], env = {}, signal, heard } of cases) {
    t.test(`nobody reads the ${kind} that standard error is: ${name}`, async (t) => {
      const dir = t.testdir({});
      const child = begin(t, kind, flags, args, { MEMPROF_DIR: dir, ...env });
      t.teardown(() => child.kill('SIGKILL'));
      let said = '';
      const until = async (what: RegExp) => {
        while (!what.test(said) && child.exitCode === null && child.signalCode === null) {
          await Promise.race([once(child.stdout!, 'data'), once(child, 'close')]);
        }
      };
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      child.stdin!.on('error', () => {}); // It may be dead.
      await until(/^ready$/m);
      if (signal !== undefined) child.kill(signal);
      // What an error of a stream would do, it would do before the program reads on.
      for (let i = 1; i <= 3; i++) {
        child.stdin!.write('x');
        await until(new RegExp(`(alive\n[^]*){${i}}`));
      }
      child.stdin!.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
      t.strictSame([child.exitCode, child.signalCode], [0, null], 'the program lives until it ends', {
        said,
      });
      t.match(said, /^ready$/m);
      if (heard !== undefined) t.match(said, new RegExp(heard.source, 'm'), 'its listener hears the warning');
      if (args[0] === 'nothing' && /^a profile (on|at)/.test(name)) {
        const written = readdirSync(dir).filter((file) => file.startsWith('memprof.'));
        t.equal(written.length, 1, 'and the profile is written');
      }
    });
  }
}

t.test('a warning from a worker is printed, once, as Node.js prints it', async (t) => {
  for (const [flags, expected] of [
    [[], /^\(node:\d+\) \[MEMPROF_DISPLACED\] MemprofWarning: somebody else .* as nobody else does\n$/],
    [['--no-warnings'], /^$/],
  ] as const) {
    const [command, line] = nodeCommand(programPath('hears'), {
      flags: ['--expose-gc', ...flags],
      args: ['displaced', 'worker'],
    });
    const child = spawn(command, line, { stdio: 'pipe' });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.on('data', (text: Buffer) => {
      if (/^ready$/m.test(String(text))) child.stdin.end();
    });
    await once(child, 'close');
    t.match(stderr, expected);
  }
});

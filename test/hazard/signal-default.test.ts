import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { isNodemon } from '#dist/launch/nodemon.js';
import { main } from '../support/cli.js';
import { nodeCommand, plainNode, programPath, root, runCommand } from '../support/run.js';

const register = path.join(root, 'dist', 'register.js');
const program = programPath('drop-in');

/** A supervisor that restarts a program by SIGUSR2, under the name given; its first argument is how it starts it. */
function superviseAs(
  t: Test,
  name: string,
  how: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): ChildProcess {
  const bin = path.join(t.testdir({ profiles: {} }), 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  const script = path.join(bin, name);
  cpSync(programPath('supervisor'), script);
  const [command, line] = nodeCommand(script, { flags: [], args: [how, ...args] });
  const child = spawn(command, line, {
    stdio: 'pipe',
    detached: true,
    env: { ...process.env, MEMPROF_DIR: path.join(t.testdirName, 'profiles'), ...env },
  });
  t.teardown(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {}
  });
  return child;
}

interface Ending {
  /** Of each program, in order. */
  endings: string[];
  stderr: string;
}

/** How two programs ended that the supervisor told to restart. */
async function restartTwice(child: ChildProcess): Promise<Ending> {
  let [stdout, stderr] = ['', ''];
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await once(child, 'close');
  return { endings: stdout.match(/^ended .*$/gm) ?? [], stderr };
}

const LEAVES_ALONE =
  /^memprof: nodemon ends programs by SIGUSR2, so memprof does not use that signal: set MEMPROF_SIGNAL/m;

for (const how of ['fork', 'shell']) {
  for (const name of ['nodemon', 'nodemon.js']) {
    t.test(`${name} restarts a program by SIGUSR2 (${how})`, async (t) => {
      const child = superviseAs(t, name, how, ['--require', register, program, 'wait'], {});
      const { endings, stderr } = await restartTwice(child);
      t.strictSame(endings, ['ended SIGUSR2', 'ended SIGUSR2']);
      t.equal(stderr.match(new RegExp(LEAVES_ALONE, 'gm'))?.length, 2, 'it says so, once a program');
      t.strictSame(readdirSync(path.join(t.testdirName, 'profiles')), []);
    });
  }
}

t.test('memprof run under nodemon: a profile, and then the end', async (t) => {
  const dir = path.join(t.testdir({}), 'own');
  const args = [main, 'run', '-q', '--dir', dir, program, 'wait'];
  const { endings } = await restartTwice(superviseAs(t, 'nodemon', 'fork', args, {}));
  t.strictSame(endings, ['ended SIGUSR2', 'ended SIGUSR2']);
  t.equal(readdirSync(dir).length, 2, 'each wrote its profile');
});

t.test('another supervisor: a signal writes a profile, as ever', async (t) => {
  const child = superviseAs(t, 'supervisor', 'fork', ['--require', register, program, 'wait'], {});
  const { endings, stderr } = await restartTwice(child);
  t.strictSame(endings, ['ended late', 'ended late']);
  t.equal(stderr.match(/^memprof: wrote /gm)?.length, 2);
});

t.test('MEMPROF_SIGNAL=SIGUSR2 is obeyed under nodemon too', async (t) => {
  const env = { MEMPROF_SIGNAL: 'SIGUSR2' };
  const child = superviseAs(t, 'nodemon', 'fork', ['--require', register, program, 'wait'], env);
  const { endings, stderr } = await restartTwice(child);
  t.strictSame(endings, ['ended late', 'ended late']);
  t.notMatch(stderr, LEAVES_ALONE);
});

t.test('signals that ask a program to end still end it', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    const dir = t.testdir({});
    const [command, line] = nodeCommand(program, { flags: ['--require', register], args: ['wait'] });
    const child = spawn(command, line, {
      stdio: 'pipe',
      env: { ...process.env, MEMPROF_SIGNAL: signal, MEMPROF_DIR: dir },
    });
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await once(child.stdout, 'data');
    child.kill(signal);
    const [, by] = await once(child, 'close');
    clearTimeout(late);
    t.equal(by, signal);
    t.equal(readdirSync(dir).length, 1, 'after a profile');
  }
});

t.test('command lines of nodemon', (t) => {
  const nodemon = [
    ['nodemon'],
    ['nodemon', '--signal', 'SIGHUP', 'app.js'],
    ['node', '/usr/local/bin/nodemon', 'app.js'],
    ['/usr/bin/node', '/app/node_modules/nodemon/bin/nodemon.js', '-e', 'ts'],
    ['/opt/node-22/bin/node', '--no-warnings', '/app/node_modules/.bin/nodemon'],
    ['nodejs', 'nodemon.js'],
    ['npm exec nodemon app.js'],
    ['npx nodemon'],
  ];
  const others = [
    [''],
    [],
    ['node', 'app.js'],
    ['sh', '-c', 'node app.js'],
    ['node', '/app/nodemonitor/main.js'],
    ['vim', 'nodemon.js'],
    ['npm run dev'],
    ['bash', '--norc'],
  ];
  for (const line of nodemon) t.equal(isNodemon(line), true, line.join(' '));
  for (const line of others) t.equal(isNodemon(line), false, line.join(' '));
  t.end();
});

t.test('a second signal does not end the program while it writes', async (t) => {
  const dir = t.testdir({});
  const script = `
    const { writeBeforeDeathBy } = require('./dist/launch/signals.js');
    writeBeforeDeathBy('SIGTERM', () => {
      process.kill(process.pid, 'SIGTERM');
      require('node:fs').writeFileSync(process.argv[1], 'whole');
    });
    setInterval(() => {}, 1000);
    process.kill(process.pid, 'SIGTERM');`;
  const file = path.join(dir, 'profile');
  const [command, ...flags] = plainNode;
  const { signal } = await runCommand(command, [...flags, '-e', script, file], { cwd: root });
  t.equal(signal, 'SIGTERM', 'it still ends by the signal');
  t.strictSame(readdirSync(dir), ['profile']);
});

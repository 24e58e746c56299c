import { cpSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { main } from '../support/cli.js';
import { nodeCommand, type Outcome, programPath, root, runCommand, runNode } from '../support/run.js';

const program = programPath('drop-in');
const register = path.join(root, 'dist', 'register.js');

/** In a working directory that is removed before Node.js begins. */
function runNowhere(flags: readonly string[], env: NodeJS.ProcessEnv = {}, file = program, args = ['']) {
  const [command, line] = nodeCommand(file, { flags, args });
  const script = 'd=$(mktemp -d) && cd "$d" && rmdir "$d" && exec "$@"';
  return runCommand('sh', ['-c', script, 'sh', command, ...line], { env: { ...process.env, ...env } });
}

const onlyWarning = (outcome: Outcome) => outcome.stderr.match(/MemprofWarning/g)?.length ?? 0;

t.test('a removed working directory costs the files, and not the profile', async (t) => {
  const plain = await runNowhere([]);
  t.strictSame([plain.code, plain.stdout], [0, 'done\n'], 'Node.js itself runs there');
  const state = programPath('profiled-nowhere');
  const outcome = await runNowhere(['--require', register], { MEMPROF_AT_EXIT: '1' }, state);
  t.strictSame([outcome.code, outcome.signal], [0, null]);
  t.equal(outcome.stdout, 'running, 1 SIGUSR2 listener, dump null\n');
  t.match(
    outcome.stderr,
    /MemprofWarning: memprof cannot write files, because the directory \. is unknown: ENOENT/,
  );
  t.equal(onlyWarning(outcome), 1);
  t.match(outcome.stderr, /^memprof: cannot write the profile: the working directory did not exist/m);
});

t.test('a directory that can be resolved there gets its files', async (t) => {
  const dir = t.testdir({});
  const env = { MEMPROF_AT_EXIT: '1', MEMPROF_DIR: dir };
  const outcome = await runNowhere(['--require', register], env, program, ['worker']);
  t.strictSame([outcome.code, outcome.stdout], [0, 'worker\n']);
  t.equal(onlyWarning(outcome), 0);
  t.equal(readdirSync(dir).length, 1);
});

// Node.js itself starts no worker there.
t.test('where the HTTP server cannot run, the program does', async (t) => {
  const outcome = await runNowhere(['--require', register], { MEMPROF_HTTP: '0', MEMPROF_DIR: '/tmp' });
  t.strictSame([outcome.code, outcome.stdout], [0, 'done\n']);
  t.match(outcome.stderr, /MemprofWarning: memprof is running without its HTTP server: .*ENOENT/);
});

t.test('--import does what Node.js allows', async (t) => {
  const plain = await runNowhere(['--import', 'data:text/javascript,']);
  const outcome = await runNowhere(['--import', pathToFileURL(register).href]);
  t.strictSame([outcome.code, outcome.stdout], [plain.code, plain.stdout]);
});

t.test('memprof run in a removed directory', async (t) => {
  const dir = t.testdir({});
  const outcome = await runNowhere([], {}, main, ['run', '-q', '--dir', dir, program]);
  t.strictSame([outcome.code, outcome.stdout, outcome.stderr], [0, 'done\n', '']);
  t.equal(readdirSync(dir).length, 1);
  const nowhere = await runNowhere([], {}, main, ['run', '-q', program]);
  t.strictSame([nowhere.code, nowhere.stdout], [0, 'done\n'], 'the program runs all the same');
  t.match(nowhere.stderr, /^memprof: cannot write the profile: ENOENT/m);
});

for (const [what, preload, env] of [
  ['memprof/register', 'register.js', {}],
  ['what memprof run loads', 'launch/run-preload.js', { MEMPROF_RUN: '{}' }],
] as [string, string, NodeJS.ProcessEnv][]) {
  t.test(`${what} does not load: the program runs`, async (t) => {
    const broken = path.join(t.testdir({}), 'dist');
    cpSync(path.join(root, 'dist'), broken, { recursive: true });
    const gone = [
      'launch/write-profile.js',
      'launch/start-registered.js',
      'launch/start-run.js',
      'sampler',
      'base/say.js',
    ];
    for (const file of gone) {
      rmSync(path.join(broken, file), { recursive: true });
      const outcome = await runNode(program, {
        flags: ['--require', path.join(broken, preload)],
        env: { ...process.env, ...env },
      });
      t.strictSame([outcome.code, outcome.stdout], [0, 'done\n'], file);
      if (file !== 'base/say.js')
        t.match(outcome.stderr, /MemprofWarning: memprof is not running: Cannot find module/);
    }
  });
}

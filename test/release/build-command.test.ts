// `memprof build`: where no binary fits, the package compiles its own.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { bareEnv, emptyDirectory, install, must, plainEnv, run, write } from './support.js';

const platform = `${process.platform}-${process.arch}`;
const own = `memprof.abi${process.versions.modules}.glibc.node`;

const directory = emptyDirectory(t);
const root = path.join(directory, 'node_modules/memprof');
const folder = path.join(root, 'prebuilds', platform);
const main = path.join(root, 'dist/cli/main.js');
// Not optimised: the compiler is quicker.
const env = { ...plainEnv(), TMPDIR: path.join(directory, 'tmp'), CXXFLAGS: '-O0' };

t.before(() => install(directory).then(() => mkdirSync(path.join(directory, 'tmp'))));

t.test('has nothing to do where there is a binary', async (t) => {
  const { stdout } = await must(process.execPath, [main, 'build'], { cwd: directory, env });
  t.match(stdout, /nothing to do/);
  t.match(stdout, `ABI ${process.versions.modules}`);
});

const skip =
  process.env.CI === undefined
    ? false
    : "compiles for half a minute: 'npm run release:check' without CI=true does it";

t.test('compiles where there is none, whatever headers npm settings name', { skip }, async (t) => {
  const before = readdirSync(folder);
  rmSync(path.join(folder, own));
  write(directory, {
    'app.cjs': "require('memprof').start(); console.log(require('memprof').status().state);",
    // As an npmrc's nodedir would have it: npm hands it on like this.
    'other/include/node/node_version.h': '#define NODE_MODULE_VERSION 999\n',
  });
  const app = () => run(process.execPath, ['app.cjs'], { cwd: directory, env });
  t.match(await app(), { code: 1, stderr: /ERR_MEMPROF_NO_BINARY/ });

  const { stdout, stderr } = await must(process.execPath, [main, 'build'], {
    cwd: directory,
    env: { ...env, npm_config_nodedir: path.join(directory, 'other'), npm_config_target: '18.0.0' },
  });
  t.equal(stdout, `built ${path.join(folder, own)}\n`);
  t.match(stderr, /^memprof: compiling for .*\n$/);
  t.strictSame(readdirSync(folder), before, 'beside those for other versions');
  t.strictSame(readdirSync(path.join(directory, 'tmp')), [], 'nothing is left behind');
  t.strictSame(await app(), { code: 0, signal: null, stdout: 'running\n', stderr: '' });
});

t.test('says what is missing, and leaves what is there', async (t) => {
  const before = readdirSync(folder);
  const bare = { ...bareEnv(directory, process.execPath), TMPDIR: env.TMPDIR };
  const build = () => run(process.execPath, [main, 'build', '--force'], { cwd: directory, env: bare });
  t.match(await build(), {
    code: 1,
    stdout: '',
    stderr: /\nmemprof: the build failed: check that python3, make and/,
  });
  t.strictSame(readdirSync(folder), before);
  t.strictSame(readdirSync(path.join(directory, 'tmp')), []);

  renameSync(path.join(root, 'vendor'), path.join(root, 'elsewhere'));
  t.match(await build(), {
    code: 1,
    stdout: '',
    stderr: /^memprof: compiling.*\nmemprof: the sources in .* are incomplete/,
  });
  t.match(
    await run(process.execPath, [main, 'build', 'what'], { cwd: directory, env: bare }),
    { code: 2, stdout: '' },
    'wrong usage',
  );
});

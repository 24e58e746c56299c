// memprof in programs that are bundled, or traced for deployment, as docs/install.md says it is done.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { root } from '../support/run.js';
import { emptyDirectory, install, must, plainEnv, run, tools, write } from './support.js';

const platform = `${process.platform}-${process.arch}`;
const binary = `prebuilds/${platform}/memprof.abi${process.versions.modules}.glibc.node`;
const directory = emptyDirectory(t);
const env = plainEnv();
const cli = (name: string) => path.join(tools, name);

const APP = `
memprof.start();
const { state, unavailable } = memprof.status();
console.log(state, unavailable);
`;

t.before(async () => {
  await install(directory);
  write(directory, {
    'app.cjs': `const memprof = require('memprof');${APP}`,
    'app.mjs': `import * as memprof from 'memprof';${APP}`,
    // Everything that starts a thread or looks for files beside its own.
    'server.cjs': `
      const { serve } = require('memprof/http');
      const memprof = require('memprof');
      memprof.start({ workers: true });
      serve({ port: 0 }).then(async ({ url, close }) => {
        const flame = await fetch(url + 'flame');
        const heap = await fetch(url + 'heap');
        console.log(flame.status, heap.status);
        await close();
      });`,
  });
});

function runApp(file: string, cwd = directory) {
  return run(process.execPath, [file], { cwd, env });
}

const RUNNING = { code: 0, signal: null, stdout: 'running null\n', stderr: '' };

function esbuild(...args: string[]) {
  return must(cli('esbuild/bin/esbuild'), ['--bundle', '--platform=node', '--log-level=warning', ...args], {
    cwd: directory,
    env,
  });
}

t.test('esbuild with memprof external', async (t) => {
  await esbuild('app.cjs', '--external:memprof', '--outfile=out/esbuild/app.cjs');
  t.strictSame(await runApp('out/esbuild/app.cjs'), RUNNING);
  await esbuild('app.mjs', '--external:memprof', '--format=esm', '--outfile=out/esbuild/app.mjs');
  t.strictSame(await runApp('out/esbuild/app.mjs'), RUNNING);
});

t.test('examples/typescript: bundled and minified, the profile shows its sources', async (t) => {
  cpSync(path.join(root, 'examples/typescript'), path.join(directory, 'typescript'), { recursive: true });
  await must(
    cli('esbuild/bin/esbuild'),
    [
      'server.ts',
      '--bundle',
      '--minify',
      '--sourcemap',
      '--platform=node',
      '--external:memprof',
      '--log-level=warning',
      '--outfile=out/server.js',
    ],
    { cwd: path.join(directory, 'typescript'), env },
  );
  const memprof = path.join(directory, 'node_modules/memprof/dist/cli/main.js');
  const inExample = { cwd: path.join(directory, 'typescript'), env };
  t.match(await must(process.execPath, [memprof, 'run', '-q', '--dir', 'out', 'out/server.js'], inExample), {
    stdout: '10000 open orders\n',
  });
  const profiles = readdirSync(path.join(directory, 'typescript/out')).filter((name) =>
    /^memprof\.\d/.test(name),
  );
  const { stdout } = await must(
    process.execPath,
    [memprof, 'top', '--sample-index=alloc_space', `out/${profiles[0]}`],
    inExample,
  );
  t.match(stdout, /receiveOrder .*typescript\/server\.ts:13$/m);
  t.match(stdout, /\(anonymous\) .*typescript\/server\.ts:14$/m);
});

t.test('esbuild with memprof inside: an error that says what to do, or prebuilds/ beside it', async (t) => {
  await esbuild('app.cjs', '--outfile=inside/app.cjs');
  t.match(await runApp('inside/app.cjs'), { code: 1, stdout: '', stderr: /ERR_MEMPROF_NO_BINARY/ });
  t.match((await runApp('inside/app.cjs')).stderr, /make it external or copy its prebuilds/);
  const from = path.join(directory, 'node_modules/memprof', binary);
  mkdirSync(path.dirname(path.join(directory, 'inside', binary)), { recursive: true });
  cpSync(from, path.join(directory, 'inside', binary));
  t.strictSame(await runApp('inside/app.cjs'), RUNNING);
});

t.test('esbuild copies the binary that is named literally', async (t) => {
  write(directory, { 'literal.cjs': `console.log(typeof require('memprof/${binary}').start)` });
  await esbuild('literal.cjs', '--loader:.node=copy', '--outdir=literal');
  t.equal(readdirSync(path.join(directory, 'literal')).filter((name) => name.endsWith('.node')).length, 1);
  t.match(await runApp('literal/literal.js'), { code: 0, stdout: 'function\n' });
});

t.test('webpack with memprof external', async (t) => {
  write(directory, {
    'webpack.cjs': `
      const webpack = require(${JSON.stringify(cli('webpack'))});
      webpack(
        {
          mode: 'production',
          target: 'node',
          context: __dirname,
          entry: './app.cjs',
          externals: { memprof: 'commonjs memprof' },
          output: { path: __dirname + '/out/webpack', filename: 'app.cjs' },
        },
        (error, stats) => {
          console.log(error ?? stats.toString('errors-warnings'));
          process.exitCode = error || stats.hasErrors() || stats.hasWarnings() ? 1 : 0;
        },
      );`,
  });
  const { code, stdout, stderr } = await runApp('webpack.cjs');
  t.equal(code, 0, stdout + stderr);
  t.strictSame(await runApp('out/webpack/app.cjs'), RUNNING);
});

t.test('rollup with memprof external', async (t) => {
  for (const format of ['es', 'cjs']) {
    const file = `out/rollup/app.${format === 'es' ? 'mjs' : 'cjs'}`;
    const args = [cli('rollup/dist/bin/rollup'), '-i', 'app.mjs', '-o', file, '-f', format];
    await must(process.execPath, [...args, '--external', 'memprof', '--silent'], { cwd: directory, env });
    t.strictSame(await runApp(file), RUNNING, format);
  }
});

t.test('@vercel/nft keeps what memprof needs', async (t) => {
  write(directory, {
    'trace.cjs': `
      const { nodeFileTrace } = require(${JSON.stringify(cli('@vercel/nft'))});
      nodeFileTrace(['app.cjs', 'server.cjs'], { base: __dirname }).then(({ fileList, warnings }) => {
        console.log(JSON.stringify({ files: [...fileList], warnings: [...warnings].map(String) }));
      });`,
  });
  const { stdout } = await must(process.execPath, ['trace.cjs'], { cwd: directory, env });
  const { files, warnings } = JSON.parse(stdout) as { files: string[]; warnings: string[] };
  // It is optional.
  const expected = /'prom-client'/;
  t.strictSame(
    warnings.filter((warning) => !expected.test(warning)),
    [],
  );
  t.ok(files.includes(`node_modules/memprof/${binary}`), 'the binary');
  t.notOk(
    files.some((file) => /node_modules\/memprof\/(native|vendor)\//.test(file)),
    'no sources',
  );
  const traced = path.join(directory, 'traced');
  for (const file of files) cpSync(path.join(directory, file), path.join(traced, file), { recursive: true });
  // Alone: what is missing must not be found further up.
  const alone = emptyDirectory(t);
  cpSync(traced, alone, { recursive: true });
  rmSync(traced, { recursive: true });
  t.strictSame(await runApp('app.cjs', alone), RUNNING);
  t.strictSame(await runApp('server.cjs', alone), { code: 0, signal: null, stdout: '200 200\n', stderr: '' });
  t.ok(existsSync(path.join(alone, 'node_modules/memprof/dist/register.js')), 'the hook of workers');
  t.comment(
    `${files.length} files, ${files.reduce((sum, file) => sum + readFileSync(path.join(alone, file)).length, 0)} bytes`,
  );
});

// examples/nest and examples/next as their READMEs say they are built and run, with the packed package.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { freePort } from '../support/ports.js';
import { root } from '../support/run.js';
import { emptyDirectory, install, must, plainEnv, tools } from './support.js';

const env = {
  ...plainEnv(),
  PORT: '0',
  MEMPROF_HTTP: '0',
  MEMPROF_SAMPLE_INTERVAL: '32k',
  NEXT_TELEMETRY_DISABLED: '1',
};

interface Needs {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  scripts: Record<'build' | 'start', string>;
}
const needsOf = (file: string) => JSON.parse(readFileSync(path.join(root, file), 'utf8')) as Needs;
const scriptsOf = (name: string) => needsOf(`examples/${name}/package.json`).scripts;

t.test('the examples name the packages that they are tested with', async (t) => {
  const ours = {
    ...needsOf('package.json').devDependencies,
    ...needsOf('test/release/package.json').devDependencies,
  };
  for (const name of ['nest', 'next']) {
    const { dependencies, devDependencies } = needsOf(`examples/${name}/package.json`);
    const { memprof, ...others } = { ...dependencies, ...devDependencies };
    t.ok(memprof);
    t.match(ours, others, name);
  }
});

interface App {
  child: ChildProcess;
  /** What it prints first, and the address of memprof's pages. */
  url: string;
  pages: string;
}

/** Starts an example by its start script. */
async function startApp(t: Test, script: string, cwd: string, more: NodeJS.ProcessEnv = {}): Promise<App> {
  const [, ...args] = script.split(' ');
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  const addressIn = (stream: NodeJS.ReadableStream) =>
    new Promise<string>((resolve, reject) => {
      let text = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        said += chunk;
        const found = /http:[^\s,]+(?=[\s,])/.exec(text);
        if (found !== null) resolve(found[0]);
      });
      child.once('exit', (code, signal) => reject(new Error(`it ended: ${code} ${signal}\n${said}`)));
    });
  const [url, pages] = await Promise.all([addressIn(child.stdout!), addressIn(child.stderr!)]);
  return { child, url, pages };
}

/** The first line of `memprof top`: what has most in use. */
async function firstLine(directory: string, pages: string): Promise<string> {
  const memprof = path.join(directory, 'node_modules/memprof/dist/cli/main.js');
  const args = [memprof, 'top', `${pages}heap?gc=1`];
  const { stdout } = await must(process.execPath, args, { cwd: directory, env });
  return stdout.split('\n').find((line) => /^ +[\d.]+MB/.test(line)) ?? stdout;
}

t.test('examples/nest: a NestJS application shows its own TypeScript', async (t) => {
  const directory = emptyDirectory(t);
  const example = path.join(directory, 'nest');
  await install(directory);
  cpSync(path.join(root, 'examples/nest'), example, { recursive: true });
  const modules = path.join(example, 'node_modules');
  mkdirSync(modules);
  for (const name of ['@nestjs', 'reflect-metadata', 'rxjs'])
    symlinkSync(path.join(tools, name), path.join(modules, name));
  symlinkSync(path.join(root, 'node_modules/@types'), path.join(modules, '@types'));
  await must(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc')], { cwd: example, env });

  const { child, url, pages } = await startApp(t, scriptsOf('nest').start, example);
  // Some 10 MB in use, 300 samples at this interval.
  for (let at = 0; at < 100; at++) t.ok((await fetch(`${url}${at % 10}`)).ok);
  t.match(await firstLine(directory, pages), /add .*nest\/src\/main\.ts:16$/);

  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  t.strictSame([code, signal], [null, 'SIGTERM'], 'Nest closes, and the signal ends it as without memprof');
});

/** What `npm install` would install, without a copy where the file system has links: Next.js wants no symbolic ones. */
async function linkModules(from: string, to: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const target = path.join(to, name);
    if (existsSync(target)) continue;
    mkdirSync(path.dirname(target), { recursive: true });
    const source = path.join(from, name);
    await must('cp', ['-a', '--link', source, target], { cwd: to }).catch(() =>
      must('cp', ['-a', '--force', source, path.dirname(target)], { cwd: to }),
    );
  }
}

t.test('docs/install.md shows the instrumentation.ts of examples/next', async (t) => {
  const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
  const [, shown] = /## Next\.js[\s\S]*?```ts\n([\s\S]*?)```/.exec(read('docs/install.md'))!;
  t.equal(shown, read('examples/next/instrumentation.ts').replace(/^\/\/.*\n/gm, ''));
});

t.test('examples/next: a Next.js application shows its own TypeScript, in a container too', async (t) => {
  const directory = emptyDirectory(t);
  await install(directory);
  cpSync(path.join(root, 'examples/next'), directory, { recursive: true });
  const modules = path.join(directory, 'node_modules');
  const next = ['next', '@next', '@swc', 'react', 'react-dom', 'scheduler', 'styled-jsx', 'client-only'];
  const others = ['postcss', 'nanoid', 'picocolors', 'source-map-js', 'caniuse-lite', 'tslib', 'csstype'];
  await linkModules(tools, modules, [...next, ...others, '@types/react', 'baseline-browser-mapping']);
  await linkModules(path.join(root, 'node_modules'), modules, ['typescript', '@types/node', 'undici-types']);

  const [build, ...copy] = scriptsOf('next').build.split(' && ');
  t.equal(build, 'next build');
  await must(process.execPath, ['node_modules/next/dist/bin/next', 'build'], { cwd: directory, env });
  await must('sh', ['-c', copy.join(' && ')], { cwd: directory, env });
  t.equal(
    readFileSync(path.join(directory, 'tsconfig.json'), 'utf8'),
    readFileSync(path.join(root, 'examples/next/tsconfig.json'), 'utf8'),
    'Next.js found nothing to change',
  );

  // Alone: what is missing must not be found further up.
  const alone = emptyDirectory(t);
  const start = scriptsOf('next').start.replace('.next/standalone/', '');
  t.not(start, scriptsOf('next').start);
  renameSync(path.join(directory, '.next/standalone'), path.join(alone, 'shop'));
  const { url, pages } = await startApp(t, start, path.join(alone, 'shop'), {
    PORT: String(await freePort()),
    HOSTNAME: '127.0.0.1',
  });
  for (let at = 0; at < 100; at++) t.ok((await fetch(`${url}/carts/${at % 10}`)).ok);
  t.match(await firstLine(directory, pages), /app\/carts\/\[customer\]\/route\.ts:\d+$/);
  t.ok((await fetch(`${pages}flame`)).ok, 'the page has its files');
});

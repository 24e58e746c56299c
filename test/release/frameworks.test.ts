// examples/nest as its README says it is built and run, with the packed package.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { root } from '../support/run.js';
import { emptyDirectory, install, must, plainEnv, tools } from './support.js';

const directory = emptyDirectory(t);
const example = path.join(directory, 'nest');
const env = { ...plainEnv(), PORT: '0', MEMPROF_HTTP: '0', MEMPROF_SAMPLE_INTERVAL: '32k' };

interface Needs {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}
const needsOf = (file: string) => JSON.parse(readFileSync(path.join(root, file), 'utf8')) as Needs;

t.test('examples/nest names the packages that it is tested with', async (t) => {
  const { dependencies, devDependencies } = needsOf('examples/nest/package.json');
  const { memprof, ...others } = { ...dependencies, ...devDependencies };
  t.ok(memprof);
  const { devDependencies: ours } = needsOf('package.json');
  t.match({ ...ours, ...needsOf('test/release/package.json').devDependencies }, others);
});

t.test('examples/nest: a NestJS application shows its own TypeScript', async (t) => {
  await install(directory);
  cpSync(path.join(root, 'examples/nest'), example, { recursive: true });
  const modules = path.join(example, 'node_modules');
  mkdirSync(modules);
  for (const name of ['@nestjs', 'reflect-metadata', 'rxjs'])
    symlinkSync(path.join(tools, name), path.join(modules, name));
  symlinkSync(path.join(root, 'node_modules/@types'), path.join(modules, '@types'));
  await must(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc')], { cwd: example, env });

  const { start } = (
    JSON.parse(readFileSync(path.join(example, 'package.json'), 'utf8')) as {
      scripts: Record<'start', string>;
    }
  ).scripts;
  const [, ...flags] = start.split(' ');
  const child = spawn(process.execPath, flags, { cwd: example, env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`it ended: ${code} ${signal}`);
  });
  ended.catch(() => {});
  const firstLine = async (stream: NodeJS.ReadableStream) => {
    const [line] = (await Promise.race([once(stream.setEncoding('utf8'), 'data'), ended])) as [string];
    return /http:[^\s,]+/.exec(line)![0];
  };
  const [url, pages] = await Promise.all([firstLine(child.stdout!), firstLine(child.stderr!)]);

  // Some 10 MB in use, 300 samples at this interval.
  for (let at = 0; at < 100; at++) t.ok((await fetch(`${url}${at % 10}`)).ok);
  const memprof = path.join(directory, 'node_modules/memprof/dist/cli/main.js');
  const { stdout } = await must(process.execPath, [memprof, 'top', `${pages}heap?gc=1`], {
    cwd: example,
    env,
  });
  const first = stdout.split('\n').find((line) => /^ +[\d.]+MB/.test(line));
  t.match(first, /add .*nest\/src\/main\.ts:16$/, stdout);

  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  t.strictSame([code, signal], [null, 'SIGTERM'], 'Nest closes, and the signal ends it as without memprof');
});

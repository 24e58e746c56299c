import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';
import { plainNode, root } from './run.js';

/** A copy of examples/, in which `memprof` and the packages of the tests are installed. */
export function copyExamples(t: Test): string {
  const directory = t.testdir({});
  cpSync(path.join(root, 'examples'), directory, { recursive: true });
  const modules = path.join(directory, 'node_modules');
  mkdirSync(modules);
  symlinkSync(root, path.join(modules, 'memprof'));
  for (const name of readdirSync(path.join(root, 'node_modules')).filter((each) => each === 'prom-client'))
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  return directory;
}

export interface Running {
  child: ChildProcess;
  directory: string;
  /** What it prints first. */
  said: string;
  /** The first address in that. */
  url: string;
  stderr(): string;
}

/** Starts a server of examples/ at a port of its own. */
export async function startExample(
  t: Test,
  name: string,
  { flags = [], env = {} }: { flags?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Running> {
  const directory = copyExamples(t);
  const [command, ...before] = plainNode;
  const child = spawn(command, [...before, ...flags, path.basename(name)], {
    cwd: path.join(directory, path.dirname(name)),
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await Promise.race([once(child, 'exit'), new Promise((resolve) => setTimeout(resolve, 20_000).unref())]);
    child.kill('SIGKILL');
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [said] = (await Promise.race([
    once(child.stdout!.setEncoding('utf8'), 'data'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code}: ${stderr}`);
    }),
  ])) as [string];
  return { child, directory, said, url: /http:[^\s,]+/.exec(said)![0], stderr: () => stderr };
}

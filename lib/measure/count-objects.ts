import { fork } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { completeOptions } from '../base/check-options.js';
import { envForChild, flagsForChild } from '../base/child-flags.js';
import { CHILD_MARK } from '../base/child-mark.js';
import { invalidType, memprofError } from '../base/errors.js';
import type { AllocationSite, Measurement, MeasureOptions } from './types.js';

/** Options of `countObjects`: those of `measure`, and the time limit of the child process. */
export interface CountObjectsOptions extends MeasureOptions {
  /** The longest time that the child process may take, in milliseconds, 100 … 2^31 - 1. Default 60000. */
  timeout?: number;
}

/** What one call allocates in code that V8 does not optimise. */
export interface ObjectCount {
  objectsPerOp: number;
  bytesPerOp: number;
  stable: boolean;
  sites: readonly AllocationSite[];
}

/** The message from the child. */
export type Answer = { measured: Measurement } | { problem: string };

/** How long the child may take to exit after it has answered. */
const PATIENCE_MS = 1000;
const UNOPTIMISED = ['--no-opt', '--no-maglev'];

/** The child's file descriptor of a pipe that closes when this process ends. */
export const PARENT_PIPE = 4;

/**
 * Counts the objects that a call of a module's function allocates. It does so in a child process that does not optimise
 * (`--no-opt --no-maglev`), because optimised code allocates several objects in one piece, or leaves some out. A few
 * builtins do so even there: `new Array(n)` and its elements count as one.
 *
 * A function cannot be passed to another process, so the child loads it itself, from the module's path (relative to the
 * working directory) or `file:` URL, and by the name of the export. The child inherits the flags of this process, except
 * those that name a program or a mode of Node.js (`--eval`, `--test`, `--watch` …), and ends when this process does.
 *
 * Rejects with
 * - `ERR_MEMPROF_BENCH_CHILD` if the child fails: there is no such module or export, the function throws, or the child
 *   takes longer than `timeout`,
 * - `ERR_MEMPROF_BENCH_NESTED` if it is called in the child itself, by the module or one that `--require` or `--import`
 *   loads,
 * - `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE` for wrong arguments.
 */
export async function countObjects(
  modulePath: string | URL,
  exportName = 'default',
  options?: CountObjectsOptions,
): Promise<ObjectCount> {
  const file = checkPath(modulePath);
  if (typeof exportName !== 'string') throw invalidType('exportName', 'a string', exportName);
  const { timeout, ...measureOptions } = completeOptions('countObjects', options);
  if (process.env[CHILD_MARK] !== undefined) {
    throw memprofError(
      'ERR_MEMPROF_BENCH_NESTED',
      `countObjects() for ${exportName} in ${file} was called in the child process of another countObjects(): ` +
        'call it from a file that the child does not load',
    );
  }
  const answer = await ask([file, exportName, JSON.stringify(measureOptions)], timeout);
  const { allocsPerOp, bytesPerOp, stable, sites } = answer;
  return { objectsPerOp: allocsPerOp, bytesPerOp, stable, sites };
}

function checkPath(modulePath: string | URL): string {
  if (modulePath instanceof URL) return fileURLToPath(modulePath);
  if (typeof modulePath !== 'string') throw invalidType('modulePath', 'a path or file: URL', modulePath);
  return modulePath.startsWith('file:') ? fileURLToPath(modulePath) : path.resolve(modulePath);
}

function ask(args: readonly string[], timeout: number): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const failed = (problem: string) =>
      reject(memprofError('ERR_MEMPROF_BENCH_CHILD', `objects of ${args[1]} in ${args[0]}: ${problem}`));
    const child = fork(path.join(__dirname, 'count-child.js'), args, {
      execArgv: [...flagsForChild(process.execArgv), ...UNOPTIMISED],
      env: childEnv(),
      // At PARENT_PIPE nothing is written: it closes.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
    });
    child.stdio[PARENT_PIPE]?.on('error', () => {});
    let timer = setTimeout(() => {
      failed(`nothing was heard of the child for ${timeout} ms`);
      child.kill('SIGKILL');
    }, timeout);
    child.on('error', (error) => failed(error.message));
    child.on('message', (answer: Partial<Answer>) => {
      if ('measured' in answer) resolve(answer.measured as Measurement);
      else if ('problem' in answer) failed(answer.problem as string);
      else return; // The measured module sent this message.
      // The child exits by itself, unless something that the module started keeps it alive.
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      failed(`the child ended with ${signal ?? `exit code ${code}`}`); // Has no effect if the child has answered.
    });
  });
}

function childEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...envForChild(process.env), [CHILD_MARK]: '1' };
  delete env.WATCH_REPORT_DEPENDENCIES; // With it, the child would report its modules to `node --watch` over our channel.
  return env;
}

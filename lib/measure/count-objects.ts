import { fork } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { completeOptions } from '../base/check-options.js';
import { envForChild, flagsForChild } from '../base/child-flags.js';
import { CHILD_MARK } from '../base/child-mark.js';
import { invalidType, memprofError } from '../base/errors.js';
import type { AllocationSite, Measurement, MeasureOptions } from './types.js';

/** How long is measured, and how long the child process may take. */
export interface CountObjectsOptions extends MeasureOptions {
  /** Milliseconds that the child may take, 100 … 2^31 - 1. Default 60000. */
  timeout?: number;
}

/** What one call allocates in code that V8 does not optimise. */
export interface ObjectCount {
  objectsPerOp: number;
  bytesPerOp: number;
  stable: boolean;
  sites: readonly AllocationSite[];
}

/** What the child sends. */
export type Answer = { measured: Measurement } | { problem: string };

const PATIENCE_MS = 1000;
const UNOPTIMISED = ['--no-opt', '--no-maglev'];

/** File descriptor, in the child, of a pipe that closes when this process ends. */
export const PARENT_PIPE = 4;

/**
 * How many objects a call of a module's function allocates: measured in a child process that does not optimise
 * (`--no-opt --no-maglev`), since optimised code takes several objects in one piece, or does without some. A few
 * builtins still do so: `new Array(n)` and its elements count as one.
 *
 * The function cannot come along: the child loads it itself, by the module's path (relative to the working directory)
 * or `file:` URL, and the name of the export. Besides it inherits the flags of this process, but for those that name a
 * program or a mode of Node.js (`--eval`, `--test`, `--watch` …), and ends when this process does.
 *
 * Rejects with `ERR_MEMPROF_BENCH_CHILD` when the child fails: no such module or export, the function throws, or
 * `timeout`; with `ERR_MEMPROF_BENCH_NESTED` when it is called in the child itself, by the module or by one that
 * `--require` or `--import` loads; with `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`.
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
      `countObjects() was called in the child process that another countObjects() started, for ${exportName} in ` +
        `${file}: call it from a file of its own, which the child does not load`,
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
      else return; // The module sent it.
      // It is about to end, unless something that the module started keeps it.
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      failed(`the child ended with ${signal ?? `exit code ${code}`}`); // no matter, when it has answered
    });
  });
}

function childEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...envForChild(process.env), [CHILD_MARK]: '1' };
  delete env.WATCH_REPORT_DEPENDENCIES; // `node --watch` would be told of modules over our channel.
  return env;
}

import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

export const root = path.join(__dirname, '../..');

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  args?: readonly string[];
  /** Flags of Node.js. Default `--expose-gc`. */
  flags?: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    child.stderr!.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs a command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: Pick<RunOptions, 'cwd' | 'env'> = {},
): Promise<Outcome> {
  return outcomeOf(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options }));
}

/**
 * Runs a Node.js program by its absolute path. tap puts its own hooks into the NODE_OPTIONS of every child, which would
 * be profiled along and take longer than most programs here: `env` takes them out again.
 */
export function runNode(file: string, options: RunOptions = {}): Promise<Outcome> {
  const { flags = ['--expose-gc'], args = [], ...rest } = options;
  return runCommand('env', ['-u', 'NODE_OPTIONS', process.execPath, ...flags, file, ...args], rest);
}

/** Runs one of `test/programs` by its name without extension. */
export function runProgram(name: string, options: RunOptions = {}): Promise<Outcome> {
  return runNode(programPath(name), options);
}

export function programPath(name: string): string {
  return path.join(root, 'test/programs', `${name}.cjs`);
}

/** What the program printed as JSON. Rejects unless it ended well and said nothing else. */
export async function report<T>(name: string, options: RunOptions = {}): Promise<T> {
  const { code, signal, stdout, stderr } = await runProgram(name, options);
  if (code !== 0 || stderr !== '') {
    throw new Error(`${name} ${options.args?.join(' ') ?? ''}: ended with ${signal ?? code}\n${stderr}`);
  }
  return JSON.parse(stdout) as T;
}

/** Whether this Node.js knows the flag. */
export async function knowsFlag(flag: string): Promise<boolean> {
  const { code } = await runCommand('env', ['-u', 'NODE_OPTIONS', process.execPath, flag, '-e', '0']);
  return code === 0;
}

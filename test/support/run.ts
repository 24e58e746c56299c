// All tests start other programs through this file.
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The clone. Tests run from `build/`, where they are compiled to, and find their programs and fixtures in `test/`. */
export const root = findRoot(__dirname);
export const fixtures = path.join(root, 'test', 'fixtures');

function findRoot(directory: string): string {
  return existsSync(path.join(directory, 'binding.gyp')) ? directory : findRoot(path.dirname(directory));
}

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  args?: readonly (string | number)[];
  /** Flags of Node.js. Default `--expose-gc`. */
  flags?: readonly string[];
  cwd?: string;
  /** All variables. Default: those of the test. */
  env?: NodeJS.ProcessEnv;
  /** What the program reads. */
  input?: string | Buffer;
  /** Ends the program by SIGKILL. Default none: the test has a limit of its own. */
  timeoutSeconds?: number;
}

/**
 * Node.js without what a test runner puts into the NODE_OPTIONS of every child: tap's hooks would be profiled along and
 * take longer than most programs here.
 */
export const plainNode = ['env', '-u', 'NODE_OPTIONS', process.execPath] as const;

export function nodeCommand(file: string, options: RunOptions = {}): [command: string, args: string[]] {
  const { flags = ['--expose-gc'], args = [] } = options;
  const [command, ...before] = plainNode;
  return [command, [...before, ...flags, file, ...args.map(String)]];
}

/** Starts a Node.js program, to talk with it while it runs. */
export function startNode(
  file: string,
  options: RunOptions & Pick<SpawnOptions, 'stdio'> = {},
): ChildProcess {
  const { cwd, env, stdio } = options;
  return spawn(...nodeCommand(file, options), {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(stdio === undefined ? {} : { stdio }),
  });
}

/** What a program that was started prints, and how it ends. */
export function outcomeOf(child: ChildProcess, timeoutSeconds = 0): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    const kill = () => {
      stderr += `\nkilled after ${timeoutSeconds} s`;
      child.kill('SIGKILL');
    };
    const timer = timeoutSeconds > 0 ? setTimeout(kill, timeoutSeconds * 1000) : undefined;
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** Runs a command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  { input, timeoutSeconds, cwd, env }: Omit<RunOptions, 'args' | 'flags'> = {},
): Promise<Outcome> {
  const child = spawn(command, args, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  if (input !== undefined) child.stdin!.on('error', () => {}).end(input);
  return outcomeOf(child, timeoutSeconds);
}

/** Runs a command to its end, while nothing else happens here. */
export function runCommandSync(
  command: string,
  args: readonly string[],
  { input, timeoutSeconds = 0, cwd, env }: Omit<RunOptions, 'args' | 'flags'> = {},
): Outcome {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: timeoutSeconds * 1000,
    killSignal: 'SIGKILL',
    ...(input === undefined ? {} : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  if (error !== undefined && status === null && signal === null) throw error;
  return { code: status, signal, stdout, stderr };
}

/** Runs a Node.js program by its path. */
export function runNode(file: string, options: RunOptions = {}): Promise<Outcome> {
  return runCommand(...nodeCommand(file, options), options);
}

export function runNodeSync(file: string, options: RunOptions = {}): Outcome {
  return runCommandSync(...nodeCommand(file, options), options);
}

/** Runs one of `test/programs` by its name without extension. */
export function runProgram(name: string, options: RunOptions = {}): Promise<Outcome> {
  return runNode(programPath(name), options);
}

export function programPath(name: string): string {
  return path.join(root, 'test', 'programs', `${name}.cjs`);
}

/** The JSON that the program printed. Rejects if the program failed or printed anything else. */
export async function report<T>(name: string, options: RunOptions = {}): Promise<T> {
  const { code, signal, stdout, stderr } = await runProgram(name, options);
  if (code !== 0 || stderr !== '') {
    throw new Error(`${name} ${options.args?.join(' ') ?? ''}: ended with ${signal ?? code}\n${stderr}`);
  }
  return JSON.parse(stdout) as T;
}

/** Whether this Node.js knows the flag. */
export async function knowsFlag(flag: string): Promise<boolean> {
  const { code } = await runNode('0', { flags: [flag, '-e'] });
  return code === 0;
}

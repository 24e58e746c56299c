// The name of the program, for everything that shows it: profiles and pages.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

interface Program {
  name: string;
  commandLine: string[];
}

// The key under which workers inherit the program of the main thread; their own `process.argv` has the file of the worker.
const INHERITED = 'memprof.program';
// Node.js copies the inherited data for every worker, so its size is limited.
const MAX_INHERITED_CHARACTERS = 16_384;

/**
 * The absolute path of the file that Node.js runs: `/app/index.js` for `node .` in `/app`. Without such a file (`-e`,
 * standard input, the REPL) it is the path of Node.js itself. In a worker it is the file of the main thread if the
 * profiler was started there before the worker was created, otherwise the worker's own file. Never throws.
 */
export function programName(): string {
  return readProgram().name;
}

/** The program and its arguments, like Go's os.Args. In a worker, those of the main thread, as for `programName`. */
export function commandLine(): string[] {
  return readProgram().commandLine;
}

/** Hands the program's name to all workers that this thread creates from now on. Never throws. */
export function tellWorkersOfProgram(): void {
  if (!isMainThread) return;
  try {
    const own = ownProgram();
    const length = own.commandLine.reduce((sum, argument) => sum + argument.length, 0);
    const told =
      length > MAX_INHERITED_CHARACTERS ? { ...own, commandLine: [process.execPath, own.name] } : own;
    setEnvironmentData(INHERITED, told as never);
  } catch {}
}

function readProgram(): Program {
  const inherited = isMainThread
    ? undefined
    : (getEnvironmentData(INHERITED) as unknown as Program | undefined);
  return inherited ?? ownProgram();
}

function ownProgram(): Program {
  return {
    name: nameOfFile(),
    commandLine: [process.execPath, ...process.execArgv, ...process.argv.slice(1)].map(String),
  };
}

/** Whether Node.js was told to run a file that is not there: then the program does not start. */
export function programIsMissing(): boolean {
  const file: unknown = process.argv[1];
  const isScript = (process as { _eval?: unknown })._eval !== undefined;
  if (typeof file !== 'string' || !path.isAbsolute(file) || isScript) return false;
  return found(file) === undefined;
}

/** Not cached: launchers (ts-node, pm2) change `process.argv` to the program that they run. */
function nameOfFile(): string {
  const file: unknown = process.argv[1];
  // With `-e` this is the first argument of the script; for standard input it is `-`.
  const isScript = (process as { _eval?: unknown })._eval !== undefined;
  if (typeof file !== 'string' || file === '' || file === '-' || isScript) return process.execPath;
  return found(file) ?? file;
}

/**
 * Finds the file as Node.js does: `node app` runs `app.js`, `node .` the package's main file. This does not use
 * `require.resolve`, which would call the program's module hooks.
 */
function found(file: string): string | undefined {
  try {
    const kind = statSync(file, { throwIfNoEntry: false });
    if (kind === undefined) return withExtension(file);
    if (!kind.isDirectory()) return file;
    const main = mainOf(file);
    const fromMain =
      main === undefined
        ? undefined
        : (fileAt(main) ?? withExtension(main) ?? withExtension(path.join(main, 'index')));
    return fromMain ?? withExtension(path.join(file, 'index'));
  } catch {
    return undefined;
  }
}

function mainOf(directory: string): string | undefined {
  try {
    const { main } = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as {
      main?: unknown;
    };
    return typeof main === 'string' && main !== '' ? path.join(directory, main) : undefined;
  } catch {
    return undefined;
  }
}

function fileAt(file: string): string | undefined {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

function withExtension(file: string): string | undefined {
  return ['.js', '.json', '.node', '.mjs', '.cjs', '.ts']
    .map((extension) => fileAt(file + extension))
    .find(Boolean);
}

// What the program is called, wherever a profile or a page names it. Everything that needs the name takes it from here.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

interface Program {
  name: string;
  commandLine: string[];
}

// Workers inherit it: what is in their own `process.argv` is the file of the worker.
const INHERITED = 'memprof.program';
// It is copied for every worker.
const MAX_INHERITED_CHARACTERS = 16_384;

/**
 * The file that Node.js was told to run, as an absolute path: `/app/index.js` for `node .` in `/app`. The path of Node.js
 * itself where there is no such file: `-e`, standard input, the REPL. In a worker it is that of the main thread, if the
 * profiler was started there before the worker was made, else the worker's own file. Never throws.
 */
export function programName(): string {
  return readProgram().name;
}

/** As Go's os.Args: what was called, and with what. In a worker likewise that of the main thread. */
export function commandLine(): string[] {
  return readProgram().commandLine;
}

/** Tells the workers that this thread makes from here on. Never throws. */
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

/** Read anew every time: launchers (ts-node, pm2) put the program that they run into `process.argv`. */
function nameOfFile(): string {
  const file: unknown = process.argv[1];
  // With `-e` this is the first argument of the script; for standard input it is `-`.
  const isScript = (process as { _eval?: unknown })._eval !== undefined;
  if (typeof file !== 'string' || file === '' || file === '-' || isScript) return process.execPath;
  return found(file) ?? file;
}

/** `node app` runs `app.js`, and `node .` the main file of the package. Nobody's hooks are called for it. */
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

// What `memprof run` is asked to run: a program of Node.js, or any other command.
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { printable } from '../base/text.js';
import { UsageError } from './options.js';
import { Failure } from './profile-file.js';

export interface Target {
  /** The file to execute. */
  command: string;
  args: readonly string[];
  /** Additions to the environment. */
  env: NodeJS.ProcessEnv;
  /** Whether the process that is started is the program itself, and not something that starts it, as npm does. */
  direct: boolean;
}

const SCRIPT = /\.([cm]?[jt]sx?|json|node|wasm)$/i;

/** Finds the program. Throws a `Failure` if there is none: then nothing was started. */
export function findTarget(operands: readonly string[]): Target {
  const isNode = /^node(js)?$/.test(operands[0] ?? '') && !isFile(operands[0]!);
  const program = operands.slice(isNode ? 1 : 0);
  const [first, ...rest] = program;
  if (first === undefined) throw new UsageError('the program to run is missing', 'run');
  const node: Target = { command: process.execPath, args: program, env: {}, direct: true };
  if (first.startsWith('-') || isNode || isForNode(first)) return node;
  const folders = binFolders();
  const command = isFile(first) ? path.resolve(first) : findCommand(first, folders);
  if (command === undefined) {
    throw new Failure(
      `cannot run ${printable(first)}: there is no such file, and no such command in node_modules/.bin or on the PATH`,
    );
  }
  const variable = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const env = { [variable]: [...folders, process.env[variable] ?? ''].join(path.delimiter) };
  return { command, args: rest, env, direct: false };
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** Whether Node.js would find the file, and it is not one that the system runs by another program. */
function isForNode(name: string): boolean {
  try {
    const kind = statSync(name, { throwIfNoEntry: false });
    if (kind?.isDirectory())
      return (
        /[./\\]/.test(name) || isFile(path.join(name, 'package.json')) || isForNode(path.join(name, 'index'))
      );
    if (kind === undefined) return ['.js', '.json', '.node'].some((extension) => isFile(name + extension));
    return SCRIPT.test(name) || !isExecutable(name) || /^#!.*\bnode\b/.test(beginningOf(name));
  } catch {
    return true; // Node.js says what is wrong.
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function beginningOf(file: string): string {
  const opened = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(128);
    return bytes.toString('latin1', 0, readSync(opened, bytes)).split('\n')[0]!;
  } finally {
    closeSync(opened);
  }
}

/** `node_modules/.bin` here and in all folders above, as npm puts them on the PATH. */
function binFolders(): string[] {
  const folders: string[] = [];
  let here: string;
  try {
    here = process.cwd();
  } catch {
    return folders; // The working directory was removed.
  }
  for (let folder = here, above = ''; folder !== above; [above, folder] = [folder, path.dirname(folder)]) {
    const bin = path.join(folder, 'node_modules', '.bin');
    if (statSync(bin, { throwIfNoEntry: false })?.isDirectory()) folders.push(bin);
  }
  return folders;
}

function findCommand(name: string, first: readonly string[]): string | undefined {
  if (name.includes('/') || name.includes(path.sep)) return undefined;
  const folders = [...first, ...(process.env.PATH ?? process.env.Path ?? '').split(path.delimiter)];
  const extensions = process.platform === 'win32' ? ['.cmd', '.exe', '.bat'] : [''];
  for (const folder of folders.filter((each) => each !== '')) {
    for (const extension of extensions) {
      const file = path.join(folder, name + extension);
      if (isFile(file) && isExecutable(file)) return file;
    }
  }
  return undefined;
}

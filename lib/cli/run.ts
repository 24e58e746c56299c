import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { styleFor } from '../analysis/style.js';
import { quotedOption } from '../base/child-flags.js';
import type { FileFormat } from '../base/choices.js';
import { defaultOf, optionsOf } from '../base/options.js';
import { readVariables } from '../base/read-variables.js';
import { printable } from '../base/text.js';
import {
  type LogLine,
  type ProcessStart,
  type RunSettings,
  SETTINGS_VARIABLE,
  type WrittenProfile,
} from '../launch/run-settings.js';
import type { Command } from './command.js';
import type { Arguments } from './options.js';
import { Failure } from './profile-file.js';
import { summarize } from './run-summary.js';
import { findTarget, type Target } from './run-target.js';

const preload = path.join(__dirname, '..', 'launch', 'run-preload.js');

const details = `Profiles the program with its workers and all processes of Node.js that it starts: memprof run app.js, memprof run vitest,
memprof run npm test. A command is looked for in node_modules/.bin and on the PATH. Each process writes a profile when it
exits, on SIGUSR2, and before it dies of SIGTERM, SIGINT or SIGHUP; one that runs out of heap writes a last profile as
text. With --buffers each writes a second profile, of Buffers (memprof-buffers…). A short summary goes to standard
error. The exit code is that of the program. Options of Node.js go between -- and the program.`;

export const run: Command = {
  name: 'run',
  summary: 'run a program or a command and profile it',
  usage: 'run [options] [--] PROGRAM [arguments]',
  details,
  operands: 'file',
  passesRest: true,
  async run(args) {
    const target = findTarget(args.operands);
    const logDir = mkdtempSync(path.join(tmpdir(), 'memprof-'));
    let ending: Ending;
    try {
      const settings = settingsOf(args, path.join(logDir, 'written'));
      const before = new Set(heapLimitDumps(settings.dir));
      ending = await runChild(target, settings);
      if (args.values.quiet !== true) {
        const { written, started } = readLog(settings.log);
        const pids = new Set(started.map(({ pid }) => pid));
        const dumped = heapLimitDumps(settings.dir)
          .filter((name) => !before.has(name))
          .map((name) => ({
            pid: Number(name.split('.')[3]),
            file: path.join(settings.dir, name),
            profile: 'heap' as const,
          }))
          .filter(({ pid }) => pids.has(pid));
        const say = (text: string) => void process.stderr.write(text);
        await summarize({ written: [...written, ...dumped], started }, styleFor(process.stderr), say);
      }
    } finally {
      rmSync(logDir, { recursive: true, force: true });
    }
    if (ending.signal === null) return ending.code ?? 1;
    dieOf(ending.signal);
    return undefined;
  },
};

interface Values {
  buffers: boolean;
  dir: string;
  format: FileFormat;
  sourceMaps: boolean;
}

/** Flags win over variables, and variables over defaults. */
function settingsOf({ values, given }: Arguments, log: string): RunSettings {
  const variables = readVariables('run', process.env);
  for (const problem of variables.problems) process.stderr.write(`memprof: ${problem}\n`);
  const chosen: Record<string, unknown> = { ...values };
  for (const [name, value] of Object.entries(variables.values)) {
    if (!given.has(name)) chosen[name] = value;
  }
  const isGiven = (name: string) => given.has(name) || Object.hasOwn(variables.values, name);
  // Pass on only what was given, and defaults that differ from those of `start()`: the program may call that itself.
  const ofStart = optionsOf('run').filter((option) => option.takers.includes('start'));
  const start = ofStart.filter(
    (option) => isGiven(option.name) || defaultOf(option, 'run') !== defaultOf(option, 'start'),
  );
  const { dir, format, sourceMaps, buffers } = chosen as unknown as Values;
  return {
    start: {
      ...Object.fromEntries(start.map(({ name }) => [name, chosen[name]])),
      buffers: buffers || (isGiven('bufferSampleInterval') && !isGiven('buffers')),
    },
    dir: resolved(dir),
    format,
    sourceMaps,
    log,
  };
}

/** If the working directory was removed, keeps the path: the program runs, and reports that it cannot write. */
function resolved(dir: string): string {
  try {
    return path.resolve(dir);
  } catch {
    return dir;
  }
}

interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** `NODE_OPTIONS` reaches all processes of Node.js that the program starts, however it starts them. */
function runChild(target: Target, settings: RunSettings): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const options = [`--require ${quotedOption(preload)}`, process.env.NODE_OPTIONS ?? ''].join(' ').trim();
    const child = spawn(target.command, target.args, {
      stdio: 'inherit',
      env: {
        ...process.env,
        ...target.env,
        NODE_OPTIONS: options,
        [SETTINGS_VARIABLE]: JSON.stringify(settings),
      },
      shell: /\.(cmd|bat)$/i.test(target.command),
    });
    const stopForwarding = forwardSignals(child, target.direct, settings.log);
    child.once('error', (error) => {
      stopForwarding();
      reject(new Failure(`cannot run ${printable(target.command)}: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve({ code, signal });
    });
  });
}

/**
 * Forwards signals to the program, except those that a terminal sends to the whole process group. SIGUSR2 goes to all
 * processes that are profiled, and to the program itself only if it is Node.js: it would end a shell, or npm.
 */
function forwardSignals(child: ChildProcess, isNode: boolean, log: string): () => void {
  const byTerminal = process.stdin.isTTY === true;
  const forward = (signal: NodeJS.Signals) => {
    if (signal === 'SIGUSR2') askForProfiles(log, isNode ? child : undefined);
    else if (!byTerminal || signal === 'SIGTERM') child.kill(signal);
  };
  const signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGQUIT'];
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}

function askForProfiles(log: string, program: ChildProcess | undefined): void {
  let asked = 0;
  for (const { pid, problem } of readLog(log).started) {
    // A program that is not profiled may have use for the signal itself.
    if ((problem !== undefined && pid !== program?.pid) || !isOfRun(pid, log)) continue;
    try {
      process.kill(pid, 'SIGUSR2');
      asked++;
    } catch {} // It has ended.
  }
  if (asked === 0) process.stderr.write('memprof: no process is profiled at the moment\n');
}

/** Whether the process is still the one that wrote to the log: another may have its id by now, and would die of SIGUSR2. */
function isOfRun(pid: number, log: string): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return readFileSync(`/proc/${pid}/environ`).includes(log);
  } catch {
    return false;
  }
}

function dieOf(signal: NodeJS.Signals): void {
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}

function readLog(log: string): { written: WrittenProfile[]; started: ProcessStart[] } {
  const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
  const lines = text.split('\n').filter((line) => line !== '');
  const all = lines.map((line) => JSON.parse(line) as LogLine);
  return {
    written: all.filter((line) => 'file' in line),
    started: all.filter((line) => 'name' in line),
  };
}

/**
 * Lists the dumps of full heaps in the directory. The addon writes them and cannot log that, so they have to be looked for;
 * there may be older ones, and some of other programs.
 */
function heapLimitDumps(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => /^memprof\.\d+\.\d+\.\d+\.\d+\.\d+\.oom\.txt$/.test(name));
  } catch {
    return [];
  }
}

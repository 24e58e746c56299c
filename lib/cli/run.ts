import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { foldInternals } from '../analysis/internals.js';
import { makeReport, prepare } from '../analysis/report.js';
import { type Style, styleFor } from '../analysis/style.js';
import { formatValue } from '../analysis/units.js';
import type { FileFormat } from '../base/choices.js';
import { defaultOf, optionsOf } from '../base/options.js';
import { readVariables } from '../base/read-variables.js';
import { printable } from '../base/text.js';
import {
  type LogLine,
  type RunSettings,
  SETTINGS_VARIABLE,
  type WrittenProfile,
} from '../launch/run-settings.js';
import type { Command } from './command.js';
import { type Arguments, UsageError } from './options.js';
import { Failure, loadProfile } from './profile-file.js';

const preload = path.join(__dirname, '..', 'launch', 'run-preload.js');

const details = `Profiles app.js and its workers. It writes a profile when app.js exits, on SIGUSR2, and before app.js dies of SIGTERM,
SIGINT or SIGHUP; if app.js runs out of heap, it writes a last profile as text. With --buffers it writes a second
profile, of Buffers (memprof-buffers…). A short summary goes to standard error. The exit code is that of app.js.
Options of Node.js go between -- and app.js.`;

export const run: Command = {
  name: 'run',
  summary: 'run a program and profile it',
  usage: 'run [options] [--] app.js [arguments]',
  details,
  operands: 'file',
  passesRest: true,
  async run(args) {
    const nodeArgs = programOf(args.operands);
    const logDir = mkdtempSync(path.join(tmpdir(), 'memprof-'));
    let ending: Ending;
    try {
      const settings = settingsOf(args, path.join(logDir, 'written'));
      const before = new Set(heapLimitDumps(settings.dir));
      ending = await runChild(nodeArgs, settings);
      if (args.values.quiet !== true) {
        const { written, pids } = readLog(settings.log);
        const dumped = heapLimitDumps(settings.dir)
          .filter((name) => !before.has(name))
          .map((name) => ({
            pid: Number(name.split('.')[3]),
            file: path.join(settings.dir, name),
            profile: 'heap' as const,
          }))
          .filter(({ pid }) => pids.has(pid));
        await summarize(inOrder([...written, ...dumped]), styleFor(process.stderr));
      }
    } finally {
      rmSync(logDir, { recursive: true, force: true });
    }
    if (ending.signal === null) return ending.code ?? 1;
    dieOf(ending.signal);
    return undefined;
  },
};

/** Accepts `memprof run node app.js` as `memprof run app.js`. */
function programOf(operands: readonly string[]): string[] {
  const isNode = operands[0] === 'node' && !existsSync('node');
  const program = operands.slice(isNode ? 1 : 0);
  if (program.length === 0) throw new UsageError('the program to run is missing', 'run');
  return program;
}

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

function runChild(nodeArgs: readonly string[], settings: RunSettings): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--require', preload, ...nodeArgs], {
      stdio: 'inherit',
      env: { ...process.env, [SETTINGS_VARIABLE]: JSON.stringify(settings) },
    });
    const stopForwarding = forwardSignals(child);
    child.once('error', (error) => {
      stopForwarding();
      reject(new Failure(`cannot run ${process.execPath}: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve({ code, signal });
    });
  });
}

/** Forwards signals to the program, except those that a terminal sends to the whole process group. */
function forwardSignals(child: ChildProcess): () => void {
  const byTerminal = process.stdin.isTTY === true;
  const forward = (signal: NodeJS.Signals) => {
    if (!byTerminal || signal === 'SIGTERM' || signal === 'SIGUSR2') child.kill(signal);
  };
  const signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGQUIT'];
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}

function dieOf(signal: NodeJS.Signals): void {
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}

function readLog(log: string): { written: WrittenProfile[]; pids: Set<number> } {
  const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
  const lines = text.split('\n').filter((line) => line !== '');
  const all = lines.map((line) => JSON.parse(line) as LogLine);
  return { written: all.filter((line) => 'file' in line), pids: new Set(all.map(({ pid }) => pid)) };
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

/** Sorts by time of writing; files that the program has moved away come first. */
function inOrder(written: WrittenProfile[]): WrittenProfile[] {
  const time = ({ file }: WrittenProfile) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return written.sort((a, b) => time(a) - time(b));
}

/** How many sites the summary lists. */
const SITES = 5;

async function summarize(written: readonly WrittenProfile[], style: Style): Promise<void> {
  const say = (text: string) => process.stderr.write(text);
  if (written.length === 0) {
    say('memprof: no profile was written\n');
    return;
  }
  for (const profile of ['heap', 'buffers'] as const) {
    // The program itself usually writes last, after the processes that it forked.
    const last = written.filter((each) => each.profile === profile).at(-1);
    if (last !== undefined) await summarizeFile(last, style, say);
    if (profile === 'heap' && last?.external !== undefined) {
      const buffers = written.some((each) => each.profile === 'buffers');
      say(
        `memprof: ${formatValue(last.external, 'bytes')} outside the heap (Buffers and others) at the end` +
          `${buffers ? '' : '; --buffers profiles them'}\n`,
      );
    }
  }
  for (const { file, pid } of written) {
    say(
      `memprof: wrote ${shownPath(file)}${written.some((other) => other.pid !== pid) ? ` (process ${pid})` : ''}\n`,
    );
  }
}

async function summarizeFile(
  { file, profile: name }: WrittenProfile,
  style: Style,
  say: (text: string) => void,
): Promise<void> {
  const of = name === 'buffers' ? ' of buffers' : '';
  try {
    const profile = foldInternals(prepare(await loadProfile(file)));
    for (const [type, title] of [
      ['alloc_space', 'allocated'],
      ['inuse_space', 'in use at the end'],
    ] as const) {
      const { nodes, total, percent } = makeReport(profile, {
        sampleIndex: type,
        granularity: 'places',
        filters: {},
        sortByCum: false,
        nodeCount: SITES,
        nodeFraction: 0,
        edgeFraction: 0,
      });
      const format = (value: number) => formatValue(value, 'bytes');
      say(
        style.bold(`memprof: ${format(total)}${of} ${title}${nodes.length === 0 ? '' : ', most of it by'}`),
      );
      say('\n');
      for (const { flat, name } of nodes) {
        if (flat > 0)
          say(
            `${style.weight(format(flat).padStart(10), percent(flat))} ${percent(flat)}  ${printable(name)}\n`,
          );
      }
    }
  } catch (error) {
    say(`memprof: cannot summarize the profile: ${(error as Error).message}\n`);
  }
}

function shownPath(file: string): string {
  let relative = '..';
  try {
    relative = path.relative('.', file);
  } catch {} // The working directory was removed.
  return printable(relative.startsWith('..') ? file : relative);
}

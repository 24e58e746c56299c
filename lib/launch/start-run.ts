// What `memprof run` does inside the program that it runs.
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { native } from '../addon/native.js';
import { CHILD_MARK } from '../base/child-mark.js';
import type { MemprofError } from '../base/errors.js';
import { programIsMissing, programName } from '../base/program.js';
import { say } from '../base/say.js';
import { watchCompiledCode } from '../capture/source-maps/compiled-code.js';
import type { StartOptions } from '../profile/public-types.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { start } from '../sampler/start.js';
import { status } from '../sampler/status.js';
import { isUnderNodemon } from './nodemon.js';
import { type EndFigures, type LogLine, type RunSettings, SETTINGS_VARIABLE } from './run-settings.js';
import { saidBefore } from './said-before.js';
import { DEADLY_SIGNALS, writeBeforeDeathBy } from './signals.js';
// Loaded before the profiler starts, so as not to be in the profile.
import {
  type FileProfile,
  type GarbageCollection,
  writeProfiles,
  writeProfilesSoon,
} from './write-profile.js';

/**
 * V8 does not know on which line a function allocates that Maglev has inlined (docs/call-sites.md). This program runs for
 * its profile, and Maglev has compiled nothing yet, so it is to inline nothing. V8 ends the process if its flags are frozen.
 */
function keepMaglevFromInlining(): void {
  if (process.execArgv.some((flag) => /freeze[-_]flags/.test(flag))) return;
  setFlagsFromString('--no-maglev-inlining');
}

function begin(given: RunSettings): void {
  const settings = { ...given, peak: true };
  const options: StartOptions = { ...settings.start, workers: true };
  try {
    start({ ...options, heapLimitDump: settings.dir });
  } catch (error) {
    if ((error as Partial<MemprofError>).code !== 'ERR_MEMPROF_DIRECTORY') throw error;
    // Profile anyway: the directory may exist by the time a profile is written. If not, that failure is reported.
    start(options);
  }
  if (settings.sourceMaps) watchCompiledCode();
  if (!isMainThread) return;
  if (status().callSites.running) keepMaglevFromInlining();

  const tell = (file: string, profile: FileProfile, external: number) => {
    const figures = profile === 'peak' ? { peak: peakFigures() } : { end: endFigures() };
    tellParent(settings.log, { pid: process.pid, file, profile, external, ...figures });
  };
  // Not a process warning: in an 'exit' listener, Node.js would not print it any more.
  const tellProblem = (error: unknown) => say(`cannot write the profile: ${(error as Error).message}`);
  const write = (collection: GarbageCollection) => {
    try {
      writeProfiles(settings, collection, tell);
    } catch (error) {
      tellProblem(error);
    }
  };
  const writeSoon = () => {
    try {
      writeProfilesSoon(settings, 'major', (file, profile, external) => {
        tell(file, profile, external);
        say(`wrote ${file}`);
      }).catch(tellProblem);
    } catch (error) {
      tellProblem(error);
    }
  };
  // What is in use after the program has finished matters little, so a minor collection, which completes the allocations,
  // is enough.
  process.on('exit', () => write('minor'));
  const deadly: NodeJS.Signals[] = [...DEADLY_SIGNALS];
  if (isUnderNodemon(process.env)) deadly.push('SIGUSR2');
  else process.on('SIGUSR2', writeSoon);
  for (const signal of deadly) writeBeforeDeathBy(signal, () => write('major'));
  // Whoever reads this may send SIGUSR2, which would end a process that does not listen yet.
  tellParent(settings.log, { pid: process.pid, name: shownName() });
}

function endFigures(): EndFigures {
  const { heapAlloc, external, maxRSS, numGC, pauseTotalNs } = readMemStats();
  return { heap: heapAlloc, external, maxRss: maxRSS, collections: numGC, pausesNs: pauseTotalNs };
}

function peakFigures(): { heap: number; time: number } {
  const { heapUsed = 0, ageMs = 0 } = native().readPeak() ?? {};
  return { heap: heapUsed, time: Date.now() - ageMs };
}

function shownName(): string {
  return path.basename(programName());
}

// Package managers and the like start the program: they are not what somebody wants to see.
const LAUNCHER = /[\\/](npm|npx|npm-cli|npx-cli|yarn|yarnpkg|pnpm|pnpx|corepack)(\.[cm]?js)?$/;

function tellParent(log: string, line: LogLine): void {
  // The parent may be gone, and its log with it.
  try {
    appendFileSync(log, `${JSON.stringify(line)}\n`);
  } catch {}
}

export function beginRun(env: NodeJS.ProcessEnv): void {
  const settings = env[SETTINGS_VARIABLE];
  if (settings === undefined || env[CHILD_MARK] !== undefined) return;
  // A program that does not start is to leave no file.
  if (isMainThread && (programIsMissing() || LAUNCHER.test(programName()))) return;
  const parsed = JSON.parse(settings) as RunSettings;
  try {
    begin(parsed);
  } catch (error) {
    const problem = (error as Error).message;
    if (isMainThread) tellParent(parsed.log, { pid: process.pid, name: shownName(), problem });
    if (!saidBefore(error)) throw error;
  }
}

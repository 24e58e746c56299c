import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { CHILD_MARK } from '../base/child-mark.js';
import type { MemprofError } from '../base/errors.js';
import { say, warn } from '../base/say.js';
import { watchCompiledCode } from '../capture/source-maps/compiled-code.js';
import { serveShared } from '../http/serve.js';
import type { StartOptions } from '../profile/public-types.js';
import { start } from '../sampler/start.js';
import { isUnderNodemon } from './nodemon.js';
import { saidBefore } from './said-before.js';
import { type RegisterSettings, readSettings } from './settings.js';
import { writeOnSignal } from './signals.js';
// Loaded before the profiler starts, so as not to be in the profile.
import { type GarbageCollection, writeProfiles, writeProfilesSoon } from './write-profile.js';

/** Puts all problems of a thread's start into one warning. */
function tell(problems: readonly string[]): void {
  if (problems.length > 0) warn(problems.join('; '), 'MEMPROF_REGISTER');
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === 'ERR_ACCESS_DENIED' ? `${message} (--allow-worker)` : (message ?? String(error));
}

/**
 * Starts the profiler as the environment variables say; in the main thread also its signal, exit and HTTP handling. Warns at
 * most once.
 */
export function beginRegistered(env: NodeJS.ProcessEnv): void {
  if (env[CHILD_MARK] !== undefined) return;
  const { settings, problems: found } = readSettings(env);
  const dir = resolveDirectory(settings.dir, found);
  // The main thread has already warned about wrong variables; workers need not.
  let problems = isMainThread ? found : [];
  try {
    problems = [...problems, ...startWith(settings, dir)];
  } catch (error) {
    tell(saidBefore(error) ? problems : [...problems, `memprof is not running: ${reasonOf(error)}`]);
    return;
  }
  if (settings.sourceMaps) watchCompiledCode();
  if (!isMainThread) return;
  leaveToNodemon(settings, env);
  writeOnRequest(settings, dir);
  if (settings.http === undefined) {
    tell(problems);
    return;
  }
  listen(settings, settings.http).then(
    () => tell(problems),
    (error) => tell([...problems, `memprof is running without its HTTP server: ${reasonOf(error)}`]),
  );
}

/** Returns null if the path is unknown because the working directory was removed: memprof then profiles but writes no files. */
function resolveDirectory(dir: string, problems: string[]): string | null {
  try {
    return path.resolve(dir);
  } catch (error) {
    problems.push(`memprof cannot write files, because the directory ${dir} is unknown: ${reasonOf(error)}`);
    return null;
  }
}

/** Starts the profiler, without the dump if its directory cannot be made; returns such problems. */
function startWith(settings: RegisterSettings, dir: string | null): string[] {
  const { start: options, heapLimitDump } = settings;
  try {
    startAsOthers({ ...options, heapLimitDump: heapLimitDump ? dir : null });
    return [];
  } catch (error) {
    if ((error as Partial<MemprofError>).code !== 'ERR_MEMPROF_DIRECTORY') throw error;
    startAsOthers(options);
    const reason = reasonOf((error as Error).cause);
    return [`memprof is running, but will write no profile when the heap is full: ${reason}`];
  }
}

/** In a worker, intervals that the program chose in its code win over the variables. */
function startAsOthers(options: StartOptions): void {
  try {
    start(options);
  } catch (error) {
    if (isMainThread || (error as Partial<MemprofError>).code !== 'ERR_MEMPROF_INTERVAL') throw error;
    const { sampleInterval: _, bufferSampleInterval: __, ...others } = options;
    start(others);
  }
}

function writeOnRequest(settings: RegisterSettings, dir: string | null): void {
  const tellFile = (file: string) => say(`wrote ${file}`);
  const tellProblem = (error: unknown) => say(`cannot write the profile: ${(error as Error).message}`);
  const write = (collection: GarbageCollection, ends: boolean) => {
    try {
      if (dir === null) throw new Error('the working directory did not exist when the program started');
      if (ends) writeProfiles({ ...settings, dir }, collection, tellFile);
      else writeProfilesSoon({ ...settings, dir }, collection, tellFile).catch(tellProblem);
    } catch (error) {
      tellProblem(error);
    }
  };
  writeOnSignal(settings.signal, (ends) => write('major', ends));
  // What is in use after the program has finished matters little, so a minor collection, which completes the allocations,
  // is enough.
  if (settings.atExit) process.on('exit', () => write('minor', true));
}

/** nodemon ends programs by SIGUSR2: memprof must not catch that signal there, unless MEMPROF_SIGNAL names it. */
function leaveToNodemon(settings: RegisterSettings, env: NodeJS.ProcessEnv): void {
  if (settings.signal !== 'SIGUSR2' || settings.signalAsked === true || !isUnderNodemon(env)) return;
  delete settings.signal;
  say(
    'nodemon ends programs by SIGUSR2, so memprof does not use that signal: ' +
      'set MEMPROF_SIGNAL to another one to write profiles',
  );
}

async function listen(
  { token, sourceMaps }: RegisterSettings,
  { port, host }: NonNullable<RegisterSettings['http']>,
): Promise<void> {
  const { server, holder } = await serveShared({
    port,
    sourceMaps,
    ...(host === undefined ? {} : { host }),
    ...(token === undefined ? {} : { token }),
  });
  if (holder === undefined) say(`serves ${server.url}`);
  else say(`process ${process.pid} is served by process ${holder}: ${server.url}?pid=${process.pid}`);
}

import { isMainThread } from 'node:worker_threads';
import type { MemprofError } from '../base/errors.js';
import { serve } from '../http/serve.js';
import type { StartOptions } from '../profile/public-types.js';
import { start } from '../sampler/start.js';
import { saidBefore } from './said-before.js';
import type { DropInSettings } from './settings.js';
// Loaded before the profiler starts, so as not to be in the profile.
import { type GarbageCollection, writeProfiles } from './write-profile.js';

/** One warning at most in a thread's life, for whatever went wrong at its start. */
function warn(problems: readonly string[]): void {
  if (problems.length === 0) return;
  process.emitWarning(problems.join('; '), { type: 'MemprofWarning', code: 'MEMPROF_REGISTER' });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === 'ERR_ACCESS_DENIED' ? `${message} (--allow-worker)` : (message ?? String(error));
}

/** Starts the profiler, and what belongs to it in the main thread. Never throws; warns once. */
export function beginDropIn(settings: DropInSettings, problems: readonly string[]): void {
  try {
    problems = [...problems, ...startWith(settings)];
  } catch (error) {
    warn(saidBefore(error) ? problems : [...problems, `memprof does not run: ${reasonOf(error)}`]);
    return;
  }
  if (!isMainThread) return;
  writeOnRequest(settings);
  if (settings.http === undefined) {
    warn(problems);
    return;
  }
  listen(settings, settings.http).then(
    () => warn(problems),
    (error) => warn([...problems, `memprof runs without its HTTP server: ${reasonOf(error)}`]),
  );
}

/** Returns what is wrong, but no reason not to run. */
function startWith(settings: DropInSettings): string[] {
  const { sampleInterval, stackDepth, maxOverhead, workers, heapLimitDump, dir } = settings;
  const { buffers, bufferSampleInterval } = settings;
  const options: StartOptions = {
    workers,
    ...(sampleInterval === undefined ? {} : { sampleInterval }),
    ...(stackDepth === undefined ? {} : { stackDepth }),
    ...(maxOverhead === undefined ? {} : { maxOverhead }),
    ...(buffers === undefined ? {} : { buffers }),
    ...(bufferSampleInterval === undefined ? {} : { bufferSampleInterval }),
  };
  try {
    startAsOthers({ ...options, heapLimitDump: heapLimitDump ? dir : null });
    return [];
  } catch (error) {
    if ((error as Partial<MemprofError>).code !== 'ERR_MEMPROF_DIRECTORY') throw error;
    startAsOthers(options);
    return [(error as Error).message];
  }
}

/** A worker follows the intervals that the program chose in its code, whatever the variables say. */
function startAsOthers(options: StartOptions): void {
  try {
    start(options);
  } catch (error) {
    if (isMainThread || (error as Partial<MemprofError>).code !== 'ERR_MEMPROF_INTERVAL') throw error;
    const { sampleInterval: _, bufferSampleInterval: __, ...others } = options;
    start(others);
  }
}

function writeOnRequest(settings: DropInSettings): void {
  const write = (collection: GarbageCollection) => {
    try {
      writeProfiles(settings, collection, (file) => say(`wrote ${file}`));
    } catch (error) {
      say(`cannot write the profile: ${(error as Error).message}`);
    }
  };
  if (settings.signal !== undefined) process.on(settings.signal, () => write('major'));
  // A program that has run to its end holds on to nothing any more: what it did until now is of interest.
  if (settings.atExit) process.on('exit', () => write('minor'));
}

/** At once, even while the process ends. */
function say(message: string): void {
  try {
    process.stderr.write(`memprof: ${message}\n`);
  } catch {}
}

async function listen(
  { token, sourceMaps }: DropInSettings,
  { port, host }: NonNullable<DropInSettings['http']>,
): Promise<void> {
  const { url } = await serve({
    port,
    sourceMaps,
    ...(host === undefined ? {} : { host }),
    ...(token === undefined ? {} : { token }),
  });
  if (port === 0) say(`serves ${url}`);
}

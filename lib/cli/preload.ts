// Loaded by the program that `memprof run` runs before anything of its own, and in its workers. Must never keep the
// program from running, or change how it ends.
import { isMainThread } from 'node:worker_threads';
import type { MemprofError } from '../errors.js';
import { start } from '../profiler.js';
import type { StartOptions } from '../types.js';
import { type RunSettings, SETTINGS_VARIABLE } from './run-settings.js';
// Loaded before the profiler starts, so as not to be in the profile.
import { type GarbageCollection, tellParent, writeProfile } from './write-profile.js';

type Listener = (...args: unknown[]) => void;

// Signals that end a program unless it listens, and that it can outlive for long enough to write a profile.
const DEADLY = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

const loaded = Symbol.for('memprof.run');

function warn(what: string, error: unknown): void {
  process.emitWarning(`${what}: ${(error as Error).message}`, { type: 'MemprofWarning' });
}

function begin(settings: RunSettings): void {
  const { sampleInterval, stackDepth, maxOverhead } = settings;
  const options: StartOptions = {
    workers: true,
    maxOverhead,
    ...(sampleInterval === undefined ? {} : { sampleInterval }),
    ...(stackDepth === undefined ? {} : { stackDepth }),
  };
  try {
    start({ ...options, heapLimitDump: settings.dir });
  } catch (error) {
    if ((error as Partial<MemprofError>).code !== 'ERR_MEMPROF_DIRECTORY') throw error;
    // Writing the profile will fail as well, and say so, unless the directory can be made by then.
    start(options);
  }
  if (!isMainThread) return;
  tellParent(settings.log, { pid: process.pid });

  const write = (collection: GarbageCollection) => {
    try {
      writeProfile(settings, collection);
    } catch (error) {
      // An 'exit' listener is too late for warnings.
      process.stderr.write(`memprof: cannot write the profile: ${(error as Error).message}\n`);
    }
  };
  // A program that has run to its end holds on to nothing any more: what it did until now is of interest.
  process.on('exit', () => write('minor'));
  process.on('SIGUSR2', () => write('major'));
  for (const signal of DEADLY) writeBeforeDeathBy(signal, () => write('major'));
}

/**
 * Listens as long as nobody else does. A program's own listener decides whether it dies, and libraries that clean up
 * at signals (`signal-exit`) count listeners to find out: ours must not be among them.
 */
function writeBeforeDeathBy(signal: (typeof DEADLY)[number], write: () => void): void {
  const onSignal = () => {
    process.off('newListener', onNew);
    process.off('removeListener', onRemoved);
    process.off(signal, onSignal);
    write();
    process.kill(process.pid, signal);
  };
  const onNew = (event: string, listener: Listener) => {
    if (event !== signal || listener === onSignal) return;
    // It is not there yet, and without any Node.js would stop listening.
    process.nextTick(() => {
      if (process.listenerCount(signal) > 1) process.off(signal, onSignal);
    });
  };
  const onRemoved = (event: string, listener: Listener) => {
    if (event === signal && listener !== onSignal && process.listenerCount(signal) === 0) {
      process.on(signal, onSignal);
    }
  };
  process.on(signal, onSignal);
  process.on('newListener', onNew);
  process.on('removeListener', onRemoved);
}

const here = globalThis as { [loaded]?: true };
const settings = process.env[SETTINGS_VARIABLE];
if (settings !== undefined && here[loaded] === undefined) {
  here[loaded] = true;
  try {
    begin(JSON.parse(settings) as RunSettings);
  } catch (error) {
    warn('memprof does not run', error);
  }
}

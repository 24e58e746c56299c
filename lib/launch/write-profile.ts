import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, threadId } from 'node:worker_threads';
import { native } from '../addon/native.js';
import type { FileFormat } from '../base/choices.js';
import { makeDirectory } from '../base/make-directory.js';
import { writeWholeFile } from '../base/whole-file.js';
import { type Capture, encodeNow, type ProfileName, readCapture } from '../capture/pipeline.js';
import { findFrames, framesOf } from '../capture/source-maps.js';
import { externalComment } from '../profile/external-memory.js';
import { publishDump } from '../sampler/channels.js';
import { readMemStats } from '../sampler/mem-stats.js';

export interface FileSettings {
  /** The directory is created if it does not exist. */
  dir: string;
  format: FileFormat;
  /** Whether frames of built code are mapped to their sources. */
  sourceMaps: boolean;
  /** Whether the profile of the peak is written as well, if the heap was clearly larger then. */
  peak?: boolean;
}

/**
 * The collection to run before a profile is read, because figures are as of the last one. A minor collection completes the
 * allocations; after a major one, only reachable objects count as in use as well.
 */
export type GarbageCollection = 'minor' | 'major';

let written = 0;

/** The profiles that are written to files. `allocs` is not one, because the heap's profile has the same figures. */
export type FileProfile = Exclude<ProfileName, 'allocs'>;

/**
 * Writes the profiles of the whole process synchronously, because the program may be about to end: first that of buffers,
 * then that of the heap, each only if it was ever sampled. Calls `tell` for each file. Throws errors of the file system.
 */
export function writeProfiles(
  settings: FileSettings,
  collection: GarbageCollection,
  tell: (file: string, name: FileProfile, externalBytes: number) => void,
): void {
  write(read(collection, settings), settings, tell);
}

/**
 * Writes the same profiles for a program that goes on. The figures are read at once, but another thread reads the source
 * maps; the files are written when it is done, or when the program ends, whichever comes first.
 */
export function writeProfilesSoon(
  settings: FileSettings,
  collection: GarbageCollection,
  tell: (file: string, name: FileProfile, externalBytes: number) => void,
): Promise<void> {
  const captures = read(collection, settings);
  return new Promise((resolve, reject) => {
    const finish = () => {
      process.off('exit', finish);
      try {
        write(captures, settings, tell);
        resolve();
      } catch (error) {
        reject(error);
      }
    };
    if (!settings.sourceMaps) return finish();
    process.on('exit', finish);
    findFrames(captures.flatMap(({ records }) => [...framesOf(records)])).then(finish, finish);
  });
}

type FileCapture = Capture & { name: FileProfile };

/** Less than that above the heap of now, the peak tells nothing new. */
const CLEARLY_LARGER = 1.1;

function read(collection: GarbageCollection, { peak }: FileSettings): FileCapture[] {
  collectGarbage(collection);
  const wasLarger =
    peak === true && (native().readPeak()?.heapUsed ?? 0) > readMemStats().heapAlloc * CLEARLY_LARGER;
  const names = ['buffers', ...(wasLarger ? (['peak'] as const) : []), 'heap'] as const;
  return names
    .map((name) => ({ ...readCapture(name), name }))
    .filter(({ sampleInterval }) => sampleInterval > 0);
}

/**
 * Reads missing source maps synchronously. That may delay a program that is ending; for a program that goes on,
 * `writeProfilesSoon` has read them before.
 */
function write(
  captures: readonly FileCapture[],
  { dir, format, sourceMaps }: FileSettings,
  tell: (file: string, name: FileProfile, externalBytes: number) => void,
): void {
  for (const capture of captures) {
    const { external } = capture.memStats;
    const comments = capture.comments ?? [externalComment(external)];
    const content = encodeNow(capture, { format: format === 'txt' ? 'text' : 'pprof', sourceMaps, comments });
    makeDirectory(dir);
    written++;
    const file = path.join(dir, fileName(capture.name, format));
    writeWholeFile(file, [content], { flush: false });
    publishDump(file, capture.name);
    tell(file, capture.name, external);
  }
}

// Only the main thread writes profiles, so workers need no collector.
const collectGarbage = isMainThread ? findGarbageCollector() : () => {};

type Collector = (options: { type: GarbageCollection }) => void;

/**
 * V8 puts `gc` only into contexts that are created while `--expose-gc` is set. Creating one allocates memory, so this runs
 * before the profiler starts.
 */
function findGarbageCollector(): (type: GarbageCollection) => void {
  const given = (globalThis as { gc?: Collector }).gc;
  if (typeof given === 'function') return (type) => given({ type });
  try {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as Collector;
    setFlagsFromString('--no-expose-gc');
    return (type) => gc({ type });
  } catch {
    // Without `gc`, figures are as of an earlier collection.
    return () => {};
  }
}

/** Names files as Node.js names its diagnostic files: date, time, process, thread, number. */
function fileName(profile: FileProfile, format: FileFormat): string {
  const now = new Date();
  const digits = (value: number, width: number) => String(value).padStart(width, '0');
  const date = digits(now.getFullYear(), 4) + digits(now.getMonth() + 1, 2) + digits(now.getDate(), 2);
  const time = digits(now.getHours(), 2) + digits(now.getMinutes(), 2) + digits(now.getSeconds(), 2);
  const name = profile === 'heap' ? 'memprof' : `memprof-${profile}`;
  return `${name}.${date}.${time}.${process.pid}.${threadId}.${digits(written, 3)}.${format}`;
}

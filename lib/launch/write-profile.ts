import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, threadId } from 'node:worker_threads';
import type { FileFormat } from '../base/choices.js';
import { writeWholeFile } from '../base/whole-file.js';
import { type Capture, encodeNow, type ProfileName, readCapture } from '../capture/pipeline.js';
import { findFrames, framesOf } from '../capture/source-maps.js';
import { externalComment } from '../profile/external-memory.js';

export interface FileSettings {
  /** Made if it is not there. */
  dir: string;
  format: FileFormat;
  /** Whether frames of built code are written as they are in its sources. */
  sourceMaps: boolean;
}

/**
 * Figures are as of the last garbage collection. A minor one completes what was allocated, a major one also what is in
 * use: then only what is really held on to.
 */
export type GarbageCollection = 'minor' | 'major';

let written = 0;

/** What is written to files: the heap's allocations are in its profile. */
export type FileProfile = Exclude<ProfileName, 'allocs'>;

/**
 * Writes the profiles of the whole process, now: the program may be about to end. That of buffers if any was ever
 * sampled, then that of the heap, likewise; tells the path of each. Throws what the file system does.
 */
export function writeProfiles(
  settings: FileSettings,
  collection: GarbageCollection,
  tell: (file: string, name: FileProfile, externalBytes: number) => void,
): void {
  write(read(collection), settings, tell);
}

/**
 * The same of a program that goes on: the figures are of now, but source maps are read by another thread, and the files are
 * written when it has done so, or when the program ends before that.
 */
export function writeProfilesSoon(
  settings: FileSettings,
  collection: GarbageCollection,
  tell: (file: string, name: FileProfile, externalBytes: number) => void,
): Promise<void> {
  const captures = read(collection);
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

function read(collection: GarbageCollection): FileCapture[] {
  collectGarbage(collection);
  const names = ['buffers', 'heap'] as const;
  return names
    .map((name) => ({ ...readCapture(name), name }))
    .filter(({ sampleInterval }) => sampleInterval > 0);
}

/** What is not known of sources by now is found out here: a program that ends may be held up, one that goes on has asked before. */
function write(
  captures: readonly FileCapture[],
  { dir, format, sourceMaps }: FileSettings,
  tell: (file: string, name: FileProfile, externalBytes: number) => void,
): void {
  for (const capture of captures) {
    const { external } = capture.memStats;
    const comments = [externalComment(external)];
    const content = encodeNow(capture, { format: format === 'txt' ? 'text' : 'pprof', sourceMaps, comments });
    mkdirSync(dir, { recursive: true });
    written++;
    const file = path.join(dir, fileName(capture.name, format));
    writeWholeFile(file, [content], { flush: false });
    tell(file, capture.name, external);
  }
}

// Only main threads write.
const collectGarbage = isMainThread ? findGarbageCollector() : () => {};

type Collector = (options: { type: GarbageCollection }) => void;

/** V8 gives it to new contexts only, once asked. That takes memory: before the profiler starts. */
function findGarbageCollector(): (type: GarbageCollection) => void {
  const given = (globalThis as { gc?: Collector }).gc;
  if (typeof given === 'function') return (type) => given({ type });
  try {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as Collector;
    setFlagsFromString('--no-expose-gc');
    return (type) => gc({ type });
  } catch {
    // Then figures are as of an earlier collection.
    return () => {};
  }
}

/** As Node.js names its own diagnostic files: date, time, process, thread, number. */
function fileName(profile: FileProfile, format: FileFormat): string {
  const now = new Date();
  const digits = (value: number, width: number) => String(value).padStart(width, '0');
  const date = digits(now.getFullYear(), 4) + digits(now.getMonth() + 1, 2) + digits(now.getDate(), 2);
  const time = digits(now.getHours(), 2) + digits(now.getMinutes(), 2) + digits(now.getSeconds(), 2);
  const name = profile === 'heap' ? 'memprof' : `memprof-${profile}`;
  return `${name}.${date}.${time}.${process.pid}.${threadId}.${digits(written, 3)}.${format}`;
}

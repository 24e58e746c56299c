import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, threadId } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { profileFromRecords } from '../formats/heap-values.js';
import { encodeProto } from '../formats/proto.js';
import { formatHeapText } from '../formats/text.js';
import { readRecords } from '../mem-profile.js';
import { readMemStats } from '../mem-stats.js';
import { withSourcesSync } from '../source-maps.js';
import { status } from '../status.js';
import type { LogLine, RunFormat, RunSettings } from './run-settings.js';

/**
 * Figures are as of the last garbage collection. A minor one completes what was allocated, a major one also what is in
 * use: then only what is really held on to.
 */
export type GarbageCollection = 'minor' | 'major';

let written = 0;

/** Writes the profile of the whole process, now: the program may be about to end. */
export function writeProfile(
  { dir, format, sourceMaps, log }: RunSettings,
  collection: GarbageCollection,
): void {
  collectGarbage(collection);
  const { sampleInterval } = status();
  if (sampleInterval === 0) return;
  const content = encode(format, sourceMaps, sampleInterval);
  mkdirSync(dir, { recursive: true });
  written++;
  const file = path.join(dir, fileName(format));
  writeFileSync(file, content);
  tellParent(log, { pid: process.pid, file });
}

export function tellParent(log: string, line: LogLine): void {
  // It may be gone, and its log with it.
  try {
    appendFileSync(log, `${JSON.stringify(line)}\n`);
  } catch {}
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

function encode(format: RunFormat, sourceMaps: boolean, sampleInterval: number): string | Uint8Array {
  const stats = readMemStats();
  const read = readRecords(true);
  const records = sourceMaps ? withSourcesSync(read) : read;
  if (format === 'txt') return formatHeapText(records, stats, { sampleInterval });
  const profile = profileFromRecords(records, {
    sampleInterval,
    defaultSampleType: '',
    timeNanos: Date.now() * 1e6,
    program: process.argv[1] ?? process.argv0,
  });
  return gzipSync(encodeProto(profile), { level: 1 });
}

/** As Node.js names its own diagnostic files: date, time, process, thread, number. */
function fileName(format: RunFormat): string {
  const now = new Date();
  const digits = (value: number, width: number) => String(value).padStart(width, '0');
  const date = digits(now.getFullYear(), 4) + digits(now.getMonth() + 1, 2) + digits(now.getDate(), 2);
  const time = digits(now.getHours(), 2) + digits(now.getMinutes(), 2) + digits(now.getSeconds(), 2);
  return `memprof.${date}.${time}.${process.pid}.${threadId}.${digits(written, 3)}.${format}`;
}

import type { Writable } from 'node:stream';
import { checkInteger, checkOneOf, checkOptions } from './check.js';
import { outOfRange } from './errors.js';
import { formatHeapText } from './formats/text.js';
import { readRecords } from './mem-profile.js';
import { readMemStats } from './mem-stats.js';
import { native } from './native.js';
import { checkSink, writeToSink } from './sink.js';

export interface WriteOptions {
  /**
   * Header of the text: `heap` (default) as Go writes it, or `heap_v2`, which the Perl tools (`google-pprof`, `jeprof`)
   * read without dividing by zero, and Go's too.
   */
  header?: 'heap' | 'heap_v2';
}

/** A profile by name, as Go's `pprof.Profile`. */
export interface Profile {
  readonly name: 'heap' | 'allocs';
  /** Number of records, those with nothing in use included. */
  count(): number;
  /**
   * Writes the profile to a stream, which is not ended. `debug` 1 or more: Go's text with a `# runtime.MemStats`
   * trailer. Rejects with the stream's error if it fails; the profiler runs on.
   */
  writeTo(sink: Writable, debug: number, options?: WriteOptions): Promise<void>;
}

class HeapProfile implements Profile {
  constructor(readonly name: 'heap' | 'allocs') {}

  count(): number {
    return native().countRecords(true);
  }

  async writeTo(sink: Writable, debug: number, options?: WriteOptions): Promise<void> {
    checkSink(sink);
    checkInteger(debug, 'debug', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const { header = 'heap' } = checkOptions(options);
    checkOneOf(header, 'options.header', ['heap', 'heap_v2']);
    if (debug === 0) throw outOfRange('debug', 'another integer than 0', debug);
    // Go reads the stats first, so that the writer's own allocations are not in them.
    const memStats = readMemStats();
    const { sampleInterval } = native().readStatus();
    await writeToSink(sink, formatHeapText(readRecords(true), memStats, { sampleInterval, header }));
  }
}

const profiles = { heap: new HeapProfile('heap'), allocs: new HeapProfile('allocs') };

/** Go's `pprof.Lookup`: the profile of that name, `undefined` if there is none. */
export function lookup(name: 'heap' | 'allocs'): Profile;
export function lookup(name: string): Profile | undefined;
export function lookup(name: string): Profile | undefined {
  return Object.hasOwn(profiles, name) ? profiles[name as keyof typeof profiles] : undefined;
}

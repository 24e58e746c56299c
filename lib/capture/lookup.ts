import type { Writable } from 'node:stream';
import { meterOnThread } from '../addon/meter-on-thread.js';
import { native } from '../addon/native.js';
import { checkInteger } from '../base/check.js';
import { invalidType, outOfRange } from '../base/errors.js';
import { lazily } from '../base/lazily.js';
import { programName } from '../base/program.js';
import type { MemProfileRecord } from '../profile/public-types.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { readBufferRecords, readRecords } from '../sampler/records.js';

const options = lazily(
  () => require('../base/check-options.js') as typeof import('../base/check-options.js'),
);
const sinks = lazily(() => require('./sink.js') as typeof import('./sink.js'));
const heapValues = lazily(
  () => require('../profile/heap-values.js') as typeof import('../profile/heap-values.js'),
);
const text = lazily(
  () => require('../formats/gotext/encode.js') as typeof import('../formats/gotext/encode.js'),
);
const heapProfile = lazily(
  () => require('../formats/devtools/encode.js') as typeof import('../formats/devtools/encode.js'),
);
const folded = lazily(() => require('../formats/folded.js') as typeof import('../formats/folded.js'));
const sources = lazily(() => require('./source-maps.js') as typeof import('./source-maps.js'));
const proto = lazily(() => require('./snapshot-proto.js') as typeof import('./snapshot-proto.js'));

/** Options of `writeTo`. */
export interface WriteOptions {
  /**
   * Header of the text, with `debug` 1 only: `heap` (default) as Go writes it, or `heap_v2`, which the Perl tools
   * (`google-pprof`, `jeprof`) read without dividing by zero, and Go's too.
   */
  header?: 'heap' | 'heap_v2';
  /** Whether frames of built code are written as they are in its sources, where a source map is found. Default true. */
  sourceMaps?: boolean;
  /**
   * What is written, with `debug` 0 only: pprof's proto (default), gzipped; `heapprofile` for Chrome DevTools; `folded`, a
   * line `root;…;leaf value` a stack, for flame-graph tools.
   */
  format?: 'pprof' | 'heapprofile' | 'folded';
  /**
   * With `debug` 0 only: the value in a format that has but one, or the one that readers of pprof's proto show first:
   * `alloc_objects`, `alloc_space`, `inuse_objects` or `inuse_space`. Default: `inuse_space` of the heap and of
   * buffers, `alloc_space` of the allocations.
   */
  sampleType?: string;
}

/**
 * `heap` and `allocs` are of V8's heap, the same figures with another one first. `buffers` is of the memory of Buffers
 * and ArrayBuffers, which is outside of it: of threads that were started with `buffers: true`, as of now. Lines of its
 * frames are those of the calls.
 */
export type ProfileName = 'heap' | 'allocs' | 'buffers';

/** A profile by name, as Go's `pprof.Profile`. */
export interface Profile {
  readonly name: ProfileName;
  /** Number of records, those with nothing in use included. */
  count(): number;
  /**
   * Writes the profile to a stream, which is not ended. `debug` 0: what `options.format` says, with figures scaled up
   * from what was sampled. Any other: Go's text, raw figures with a `# runtime.MemStats` trailer. Rejects with the
   * stream's error if it fails; the profiler runs on.
   *
   * pprof's proto is written off the calling thread; text and the other formats on it, which takes some milliseconds for
   * a thousand records.
   */
  writeTo(sink: Writable, debug: number, options?: WriteOptions): Promise<void>;
}

/** The records of a profile, and how they were sampled. */
export interface RecordSet {
  records: MemProfileRecord[];
  /** Mean bytes between two samples; 0 if nothing was ever sampled. */
  sampleInterval: number;
}

export function readRecordSet(name: ProfileName): RecordSet {
  const { sampleInterval, bufferSampleInterval } = native().readStatus();
  return meterOnThread(() =>
    name === 'buffers'
      ? { records: readBufferRecords(true), sampleInterval: bufferSampleInterval }
      : { records: readRecords(true), sampleInterval },
  );
}

/** The value that a profile shows first. */
export function defaultSampleType(name: ProfileName): string {
  return name === 'allocs' ? 'alloc_space' : 'inuse_space';
}

class NamedProfile implements Profile {
  constructor(readonly name: ProfileName) {}

  count(): number {
    return native().countRecords(true, this.name === 'buffers');
  }

  async writeTo(sink: Writable, debug: number, given?: WriteOptions): Promise<void> {
    const { checkSink, writeToSink } = sinks();
    checkSink(sink);
    checkInteger(debug, 'debug', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const checked = checkWriteOptions(this.name, debug, given);
    const program = programName();
    if (debug === 0 && checked.format === 'pprof') {
      const profile = await proto().snapshotProto({
        ofBuffers: this.name === 'buffers',
        defaultSampleType: checked.sampleType,
        sourceMaps: checked.sourceMaps,
        program,
      });
      return writeToSink(sink, profile);
    }
    // Go reads the stats first, so that the writer's own allocations are not in them.
    const memStats = debug === 0 ? undefined : readMemStats();
    const timeNanos = Date.now() * 1e6;
    const { records: read, sampleInterval } = readRecordSet(this.name);
    const records = checked.sourceMaps ? await sources().withSources(read) : read;
    if (memStats !== undefined) {
      await writeToSink(
        sink,
        text().formatHeapText(records, memStats, { sampleInterval, header: checked.header }),
      );
      return;
    }
    const profile = heapValues().profileFromRecords(records, {
      sampleInterval,
      defaultSampleType: defaultSampleType(this.name),
      timeNanos,
      program,
    });
    return writeToSink(
      sink,
      checked.format === 'heapprofile'
        ? heapProfile().formatHeapProfile(profile, checked.sampleType)
        : folded().formatFolded(profile, checked.sampleType),
    );
  }
}

type CheckedWriteOptions = Required<WriteOptions>;

/** What has no effect on what is written is refused, lest it is taken to have one. */
function checkWriteOptions(
  name: ProfileName,
  debug: number,
  given: WriteOptions | undefined,
): CheckedWriteOptions {
  const checked = options().completeOptions('writeTo', given);
  const sampleType = checked.sampleType ?? defaultSampleType(name);
  const without = debug === 0 ? (['header'] as const) : (['format', 'sampleType'] as const);
  for (const option of without) {
    const value = given?.[option];
    if (value === undefined) continue;
    throw outOfRange(
      `options.${option}`,
      debug === 0
        ? 'left out with debug 0, which writes no text'
        : 'left out where debug is not 0: that is the text',
      value,
    );
  }
  return { ...checked, sampleType };
}

const profiles = {
  heap: new NamedProfile('heap'),
  allocs: new NamedProfile('allocs'),
  buffers: new NamedProfile('buffers'),
};

/**
 * Go's `pprof.Lookup`: the profile of that name, `undefined` if there is none. Throws `ERR_MEMPROF_INVALID_ARG_TYPE`.
 */
export function lookup(name: ProfileName): Profile;
export function lookup(name: string): Profile | undefined;
export function lookup(name: string): Profile | undefined {
  if (typeof name !== 'string') throw invalidType('name', 'a string', name);
  return Object.hasOwn(profiles, name) ? profiles[name as keyof typeof profiles] : undefined;
}

/** Go's `pprof.WriteHeapProfile`: `lookup('heap').writeTo(sink, 0, options)`. */
export function writeHeapProfile(sink: Writable, options?: WriteOptions): Promise<void> {
  return profiles.heap.writeTo(sink, 0, options);
}

// `require('memprof')` is part of every program's start, so each function loads the module behind it when it is
// first called. The functions are written out because Node.js finds the names that can be imported by reading this
// file's text.

import type { ExplainOptions, Explanation } from './analysis/explain.js';
import type { MemoryBreakdownOptions } from './analysis/memory-breakdown.js';
import type { MemoryBreakdown } from './analysis/memory-types.js';
import type { Profile, ProfileName, Sink, WriteOptions } from './capture/lookup.js';
import type { ParseOptions, ProfileData } from './profile/model.js';
import type {
  MemProfileRecord,
  MemStats,
  Running,
  SampleIntervalRange,
  StartOptions,
} from './profile/public-types.js';
import type { SampleLabels } from './sampler/labels.js';
import type { ReadMemStatsOptions } from './sampler/mem-stats.js';
import type { Status } from './sampler/status.js';
// Loaded at once, because it has to hear of every worker that the program makes.
import './sampler/workers.js';

/** As base/lazily.ts, which would be one more module to load at every start. */
function lazily<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

const starting = lazily(() => require('./sampler/start.js') as typeof import('./sampler/start.js'));
const setting = lazily(
  () => require('./sampler/set-interval.js') as typeof import('./sampler/set-interval.js'),
);
const statuses = lazily(() => require('./sampler/status.js') as typeof import('./sampler/status.js'));
const labelling = lazily(() => require('./sampler/labels.js') as typeof import('./sampler/labels.js'));
const records = lazily(() => require('./sampler/records.js') as typeof import('./sampler/records.js'));
const memStats = lazily(() => require('./sampler/mem-stats.js') as typeof import('./sampler/mem-stats.js'));
const memory = lazily(
  () => require('./analysis/memory-breakdown.js') as typeof import('./analysis/memory-breakdown.js'),
);
const profiles = lazily(() => require('./capture/lookup.js') as typeof import('./capture/lookup.js'));
const readers = lazily(() => require('./formats/readers.js') as typeof import('./formats/readers.js'));

/**
 * Profiles the calling thread's allocations from here on. Each thread (worker) starts for itself; all count into the
 * same records.
 *
 * Calling it again while it runs changes nothing. After `stop()` it goes on with the records there are; what was in use
 * then counts as freed, since V8 forgot it.
 *
 * @param options What is left out is as in the thread that started last; see `StartOptions` for the defaults.
 * @returns An object whose `stop()` is that of the module, and which is disposable.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_UNKNOWN_OPTION` for options.
 * @throws `ERR_MEMPROF_SAMPLER_BUSY` if somebody else already uses V8's sampling heap profiler in this thread.
 * @throws `ERR_MEMPROF_INTERVAL` if there are records of another `sampleInterval` or `bufferSampleInterval`, from before
 * or from another thread.
 * @throws `ERR_MEMPROF_STILL_RUNNING` for `reset` while a thread is profiled.
 * @throws `ERR_MEMPROF_DIRECTORY` if the directory of `heapLimitDump` cannot be made.
 * @throws `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 * @example
 * memprof.start({ sampleInterval: 128 * 1024 });
 */
export function start(options?: StartOptions): Running {
  return starting().start(options);
}

/**
 * Ends profiling of the calling thread. Figures freeze as of its last garbage collection and can still be read; only
 * sampled buffers that are freed later still count as freed. It has no effect if the thread is not profiled. When the
 * thread itself ends, what it had in use counts as freed. Never throws.
 *
 * @example
 * memprof.stop();
 * await memprof.lookup('heap').writeTo(process.stdout, 1);
 */
export function stop(): void {
  starting().stop();
}

/**
 * Changes the interval between samples of all threads that run, at once, up or down. Nothing is forgotten: each sample
 * counts for the interval at which it was taken, and records show what samples at the finest of them would be, in
 * expectation (`status().heap.sampleInterval`). For some minutes of fine samples in a server, for instance.
 *
 * @param interval Mean bytes between two samples, 1 … 2^30, or a range, as in `StartOptions.sampleInterval`.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE` for an interval that is none.
 * @throws `ERR_MEMPROF_INTERVAL` if no thread takes samples itself (`status().heap.source` is `direct`).
 * @example
 * memprof.setSampleInterval(32 * 1024);
 */
export function setSampleInterval(interval: number | SampleIntervalRange): void {
  setting().setSampleInterval(interval);
}

/**
 * What the profiler is doing and what it costs, in plain objects of numbers and strings that can be logged as JSON.
 * Times are in nanoseconds, sizes in bytes, shares from 0 to 1. Never throws: without a binary for this Node.js `state`
 * is `unavailable`.
 *
 * @example
 * const { state, heap, overhead } = memprof.status();
 * console.log(`${state}: ${heap.samplesSeen} samples, ${(overhead.total * 100).toFixed(2)} % of the time`);
 *
 * @returns A new object; changing it changes nothing.
 */
export function status(): Status {
  return statuses().status();
}

/**
 * Go's `pprof.Do`: calls `fn`, and gives the samples taken in it, and in everything asynchronous that it starts, these
 * labels, with those of the context around it. Profiles in protobuf have them as labels of their samples: `go tool pprof
 * -tags`, `-tagfocus=tenant=acme`.
 *
 * Labels work on Node.js 24 and 26 (22 with `--experimental-async-context-frame`), for buffers, and for the heap where memprof
 * takes the samples itself (`directSamples`); `status().labels` says whether they do. Elsewhere `fn` is just called.
 *
 * There should be few different sets: after the first 1000 of a process, all values are `(other)`.
 *
 * @param labels Texts by key. The keys `thread` and `bytes` are memprof's own.
 * @param fn Is called at once.
 * @returns What `fn` returns.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE` for the arguments, `ERR_MEMPROF_OUT_OF_RANGE` for a key of memprof's own.
 * @throws What `fn` throws.
 * @example
 * await memprof.withLabels({ tenant: 'acme' }, () => answer(request));
 */
export function withLabels<T>(labels: SampleLabels, fn: () => T): T {
  return labelling().withLabels(labels, fn);
}

/**
 * Go's `pprof.SetGoroutineLabels`: adds labels to the running asynchronous context, from here on. See `withLabels`.
 *
 * @param labels Texts by key. The keys `thread` and `bytes` are memprof's own.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE` for the argument, `ERR_MEMPROF_OUT_OF_RANGE` for a key of memprof's own.
 * @example
 * memprof.setLabels({ job: 'nightly report' });
 */
export function setLabels(labels: SampleLabels): void {
  labelling().setLabels(labels);
}

/**
 * Go's `runtime.MemProfile`: the profile of memory allocated and freed, per allocation stack and size class, over all
 * threads of the process, as of each thread's last garbage collection (before the first one: as of now).
 *
 * `n` is the number of records there are. If they fit (`into.length >= n`), they are put into `into[0 … n-1]`,
 * the rest of `into` is left alone, and `ok` is true; otherwise nothing is touched and `ok` is false. `null` has
 * room for none. As in Go, the number may grow between a call that asks and one that reads: leave some room and try
 * again.
 *
 * With `inuseZero` false, records with nothing in use are left out.
 *
 * @param into An array for the records, or null to ask only how many there are.
 * @param inuseZero Whether records with nothing in use are wanted, too.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE` for the arguments.
 * @throws `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 * @example
 * const { n } = memprof.MemProfile(null, true);
 * const records = new Array(n + 50);
 * const { n: found, ok } = memprof.MemProfile(records, true);
 * if (ok) records.length = found;
 */
export function MemProfile(into: MemProfileRecord[] | null, inuseZero: boolean): { n: number; ok: boolean } {
  return records().MemProfile(into, inuseZero);
}

/**
 * All records in a new array, newest bucket first: `MemProfile` without the loop.
 *
 * @param inuseZero Whether records with nothing in use are wanted, too.
 * @returns Records with raw figures: those of the sampled objects, in bytes and counts.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE` for the argument.
 * @throws `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 * @example
 * for (const record of memprof.readRecords(false)) console.log(record.inUseBytes(), record.stack()[0]?.functionName);
 */
export function readRecords(inuseZero: boolean): MemProfileRecord[] {
  return records().readRecords(inuseZero);
}

/**
 * Go's `runtime.ReadMemStats`, for V8. Bytes, nanoseconds (times since 1970), counts.
 *
 * - `alloc`, `heapAlloc`: used heap. `heapSys`: committed heap, `heapIdle` of it holds no object, `heapReleased` of
 *   that is not resident. Other threads' figures are those of their last garbage collection.
 * - `totalAlloc`: bytes allocated since memprof was loaded (with what was in use then), exact: summed over collections.
 * - `mallocs`, `frees`, `heapObjects`, `bySize`: estimates, from the sampled records; 0 if nothing was sampled.
 * - `stackInuse`, `stackSys`: the threads' stacks. `mSpan…`, `mCache…`, `lookups`: 0, V8 has no counterpart.
 * - `buckHashSys`: memprof's tables. `gcSys`: V8's memory outside its heap. `otherSys`: external memory, which
 *   includes Buffers.
 * - `nextGC`: the heap limit; V8 does not tell its target.
 * - `pauseNs`, `pauseEnd`: rings of the last 256 pauses, the newest at `(numGC + 255) % 256`. Minor and major
 *   collections both count. The pauses do not include memprof's own work.
 * - `external`: memory outside V8's heap that its objects hold, as `process.memoryUsage()` has it; `arrayBuffers` of it
 *   are Buffers and ArrayBuffers, of the calling thread and of all whose buffers are, or were, profiled (`buffers: true`);
 *   `arrayBuffersTotalAlloc`: bytes of these allocated since then, exact, 0 if buffers were never profiled.
 * - `gcCPUFraction`: share of the threads' time spent in those pauses.
 *
 * @param options `scope` is `process` (default), over all threads, or `isolate`, of the calling one.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_UNKNOWN_OPTION` for options.
 * @throws `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 * @example
 * const { heapAlloc, numGC } = memprof.readMemStats();
 */
export function readMemStats(options?: ReadMemStatsOptions): MemStats {
  return memStats().readMemStats(options);
}

/**
 * What the resident memory of the process is: V8's heaps with their spaces, Buffers and other external memory, what malloc
 * has in use otherwise and what it keeps free, compiled code, stacks, files, memprof itself, and the rest. The parts add up
 * to the resident bytes; a verdict says in words what stands out. In bytes.
 *
 * It reads `/proc/self/smaps` and glibc's `malloc_info()` on a thread of libuv's pool: some 10 to 150 ms, during which other
 * threads may wait for memory that they map, or for an arena in which many chunks are free. Ask now and then, not in a
 * request's way. On other systems than Linux, and with other C libraries, `problems` says what is not known.
 *
 * @param options `gc` collects garbage first, in all profiled threads, and says how much there was.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_UNKNOWN_OPTION` for options.
 * @throws `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 * @example
 * const { verdict, parts } = await memprof.memoryBreakdown();
 * console.log(verdict.text, parts[0]);
 */
export function memoryBreakdown(options?: MemoryBreakdownOptions): Promise<MemoryBreakdown> {
  return memory().memoryBreakdown(options);
}

/**
 * Go's `pprof.Lookup`: the profile of that name, `undefined` if there is none.
 *
 * @param name `heap`, `allocs`, `buffers`, `peak` or `lifetimes`.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE` if the name is no string.
 * @example
 * await memprof.lookup('heap').writeTo(fs.createWriteStream('heap.pb.gz'), 0);
 */
export function lookup(name: ProfileName): Profile;
export function lookup(name: string): Profile | undefined;
export function lookup(name: string): Profile | undefined {
  return profiles().lookup(name);
}

/**
 * Go's `pprof.WriteHeapProfile`: `lookup('heap').writeTo(sink, 0, options)`.
 *
 * @param sink Where to write; it is not ended.
 * @param options See `WriteOptions`.
 * @returns A promise that rejects with the sink's error if that fails, and as `Profile.writeTo` does.
 * @example
 * await memprof.writeHeapProfile(fs.createWriteStream('heap.pb.gz'));
 */
export function writeHeapProfile(sink: Sink, options?: WriteOptions): Promise<void> {
  return profiles().writeHeapProfile(sink, options);
}

/**
 * Reads a heap profile: pprof's proto, gzipped or plain, or a legacy text (`heap`, `heap_v2`, `heapz_v2`,
 * `heapprofile`, `growthz`, `fragmentationz`, with or without a symbol section, and jemalloc's), gzipped or plain.
 *
 * Time is linear in the size of the input, and memory limited, whatever the input is.
 *
 * @param buffer The profile's bytes.
 * @param options How values are scaled, and how large the profile may be; see `ParseOptions`.
 * @throws `ERR_MEMPROF_PROFILE` if it cannot be read, with one line that says where and what was expected.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_UNKNOWN_OPTION` for the arguments.
 * @example
 * const { samples } = memprof.parseProfile(fs.readFileSync('heap.pb.gz'));
 */
export function parseProfile(buffer: Uint8Array, options?: ParseOptions): ProfileData {
  return readers().parseProfile(buffer, options);
}

export type { ErrorCode } from './base/errors.js';

const explaining = lazily(() => require('./analysis/explain.js') as typeof import('./analysis/explain.js'));

/**
 * Tells what holds the memory of a site: takes a heap snapshot inside the process, finds the objects behind the samples of
 * the site in it, and merges the paths that lead to them from V8's roots. The snapshot stops the thread, and does not
 * leave the process. One at a time.
 *
 * It needs samples that memprof takes itself (`directSamples`, `status().heap.source`), because only
 * these lead to their objects; and it is refused near the heap limit, or when less memory is left than it would take.
 *
 * @param options See `ExplainOptions` for the defaults.
 * @returns A promise of what holds what.
 * @throws `ERR_MEMPROF_NO_OBJECTS` if the samples of that thread come from V8.
 * @throws `ERR_MEMPROF_COSTLY` if the heap is larger than `maxHeapBytes`, too full, or there is too little memory.
 * @throws `ERR_MEMPROF_BUSY` while another one is made; `ERR_MEMPROF_NO_THREAD` if no such thread is profiled, or answers.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_UNKNOWN_OPTION` for options.
 * @throws `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 * @example
 * const { sites } = await memprof.explain({ site: 'subscribe' });
 * console.log(sites[0]?.paths[0]?.path);
 */
export function explain(options?: ExplainOptions): Promise<Explanation> {
  return explaining().explain(options);
}

const errors = lazily(() => require('./base/errors.js') as typeof import('./base/errors.js'));
// Getters of this form, since Node.js finds only such names in a module's text.
const classes = {
  get MemprofError() {
    return errors().MemprofError;
  },
  get MemprofRangeError() {
    return errors().MemprofRangeError;
  },
  get MemprofTypeError() {
    return errors().MemprofTypeError;
  },
};
/** An error of memprof; its `code` says which, and docs/errors.md explains each. */
export declare const MemprofError: typeof import('./base/errors.js').MemprofError;
/** A value out of its range: a `RangeError` and a `MemprofError`. */
export declare const MemprofRangeError: typeof import('./base/errors.js').MemprofRangeError;
/** A value of the wrong type, or an option that is unknown: a `TypeError` and a `MemprofError`. */
export declare const MemprofTypeError: typeof import('./base/errors.js').MemprofTypeError;
/** An error of memprof; its `code` says which, and docs/errors.md explains each. */
export type MemprofError = import('./base/errors.js').MemprofError;
/** A value out of its range: a `RangeError` and a `MemprofError`. */
export type MemprofRangeError = import('./base/errors.js').MemprofRangeError;
/** A value of the wrong type, or an option that is unknown: a `TypeError` and a `MemprofError`. */
export type MemprofTypeError = import('./base/errors.js').MemprofTypeError;
Object.defineProperty(exports, 'MemprofError', {
  enumerable: true,
  get() {
    return classes.MemprofError;
  },
});
Object.defineProperty(exports, 'MemprofRangeError', {
  enumerable: true,
  get() {
    return classes.MemprofRangeError;
  },
});
Object.defineProperty(exports, 'MemprofTypeError', {
  enumerable: true,
  get() {
    return classes.MemprofTypeError;
  },
});

export type {
  ExplainOptions,
  Explanation,
  HoldingPath,
  SiteExplanation,
} from './analysis/explain.js';
export type { MemoryBreakdownOptions } from './analysis/memory-breakdown.js';
export type {
  ExternalMemory,
  HeapMemory,
  MallocMemory,
  MemoryBreakdown,
  MemoryPart,
  MemoryPartName,
  MemoryVerdict,
} from './analysis/memory-types.js';
export type { EncodeOptions, Profile, ProfileName, Sink, WriteOptions } from './capture/lookup.js';
export type {
  Mapping,
  ParseOptions,
  ProfileData,
  ProfileFrame,
  Sample,
  SampleType,
} from './profile/model.js';
export type {
  Frame,
  MemProfileRecord,
  MemStats,
  Running,
  SampleIntervalRange,
  SizeClassStats,
  StartOptions,
} from './profile/public-types.js';
export type { LabelStatus, SampleLabels } from './sampler/labels.js';
export type { ReadMemStatsOptions } from './sampler/mem-stats.js';
export type { SourceMapStatus } from './sampler/source-map-tally.js';
export type {
  BufferStatus,
  CallSiteStatus,
  DumpStatus,
  HeapStatus,
  InternalStatus,
  OverheadStatus,
  Status,
  TableStatus,
  ThreadStatus,
} from './sampler/status.js';

import { lazily } from '../base/lazily.js';
import type { NativeStatus } from './status-figures.js';

const binary = lazily(() => require('./binary.js') as typeof import('./binary.js'));
const workerThreads = lazily(() => require('node:worker_threads') as typeof import('node:worker_threads'));

/** The exports of `native/binding/addon.cc`, which does not check its arguments. */
export interface NativeAddon {
  start(options: NativeStartOptions): NativeStartResult;
  stop(): void;
  /** Counts the records of the heap, or of buffers. References to stacks and frames are only valid in the same profile. */
  countRecords(inuseZero: boolean, buffers: boolean): number;
  readRecords(inuseZero: boolean, buffers: boolean, withPromoted?: boolean): NativeRecords;
  /** Takes a snapshot as of this thread's last garbage collection. */
  takeSnapshot(buffers: boolean): Promise<NativeSnapshot>;
  stackFrames(stack: number, buffers: boolean): Uint32Array;
  /**
   * `start` and `length` are those of `ScriptPlace` in `native/tables/profile_tables.h`. `callLine` and `callColumn` are
   * where the function called the next one, 0 if unknown.
   */
  readFrame(
    frame: number,
    buffers: boolean,
  ): [
    functionName: string,
    url: string,
    line: number,
    column: number,
    address: number,
    start: number,
    length: number,
    callLine: number,
    callColumn: number,
    inlined: boolean,
  ];
  readMemFigures(process: boolean): NativeMemFigures;
  readBufferFigures(): NativeBufferFigures;
  /** Looks at the memory of this process (0), or at that of another, on a thread of the pool. */
  readMemory(pid: number): Promise<NativeMemory>;
  readStatus(): NativeStatus;
  /** See `native/binding/labels.h`. Keys and values come by turns. */
  internLabels(texts: readonly string[], others: boolean): number;
  labelsOf(number: number): string[];
  proveLabels(storage: object, store: number): string | null;
  /** Tests only. */
  runningLabels(): number;
  /**
   * For `meterOnThread`: `writingClock` reads the thread's CPU time less what is already metered, `countWriting` meters
   * the time since then.
   */
  writingClock(): number;
  countWriting(since: number): void;
  /**
   * Adds `sign` times this thread's figures to `figures`: bytes ever allocated, numbers of minor and major collections,
   * and their pauses in nanoseconds. Allocates nothing on V8's heap.
   */
  readMeter(figures: Float64Array, sign: number): void;
  /** Calls the function `calls` times and writes the change of these figures to `figures`. Allocates nothing itself. */
  meterCalls(fn: () => unknown, calls: number, figures: Float64Array): void;
  /** Starts counting with V8's sampler, apart from the profiler; false if this thread is already sampled. */
  startCount(interval: number, stackDepth: number, kept: boolean): boolean;
  /** `startCount`, then the calls of the function. If one throws, the count is given up. */
  countCalls(fn: () => unknown, calls: number, interval: number, stackDepth: number, kept: boolean): boolean;
  /**
   * Returns what was allocated since `startCount`; null if somebody else stopped the sampler. `mark` must be a function
   * named `memprofEndOfCount` that allocates; without it the count is given up.
   */
  endCount(mark?: () => object): NativeCount | null;
  /**
   * Asks all profiled threads to publish figures as of their last garbage collection, or, with `collect`, of a new one.
   * Returns a function that tells how many threads have not answered yet; a thread in a long native call may never do so.
   */
  refresh(collect: boolean): () => number;
  /**
   * Asks a thread what holds the sampled objects of the given stacks. Returns a problem: -1 another snapshot is being taken,
   * -2 there is no such profiled thread; or else a function that tells how far it is: 0 not done yet, 2 stopped or ended,
   * 3 the samples come from V8, 4 the heap is too full, or the answer as JSON. With `true` it stops it.
   */
  explain(stacks: Uint32Array, threadId: number): ((stop: boolean) => number | string) | number;
  /** What was in use at the highest heap so far; null before the first collection. */
  readPeak(): NativeMoment | null;
  /** The ages of remembered moments in milliseconds, the oldest first: of the heap, or of buffers. */
  historyTimes(buffers: boolean): Float64Array;
  /** The remembered moment of that index; null if it is gone. */
  readMoment(index: number, buffers: boolean): NativeMoment | null;
  /** Tests only: remembers what is in use now as if it were of some milliseconds ago. */
  addMoment(ageMs: number): boolean;
  setThreadId(id: number): void;
  onDisplaced(callback: () => void): void;
  restart(): boolean;
  /** Tests and benchmarks only: see `native/heap/harvest_log.h`. */
  record(file?: string): boolean;
  /** Tests only: how often the lock of `native/isolate/isolate_registry.h` was taken, including this call. */
  registryLockings(): number;
  /** Tests only: makes memprof believe that this thread's sampler belongs to somebody else. */
  mistakeForAnothers(): void;
  /** False, and without effect, if no thread takes samples itself. */
  setSampleInterval(finest: number, coarsest: number): boolean;
  /** Tests and benchmarks only: from here on V8 takes every sample as well, see `native/heap/direct_sampler.h`. */
  compareAllSamples(all: boolean): void;
  /** Benchmarks only: nanoseconds of each sample since `compareAllSamples`; those of V8 are negative. */
  sampleTimes(): Float64Array;
  /** Tests only: the next comparison of samples fails. */
  doubtSamples(): void;
  /** For tests: size of each sampled object of the given stacks, and the object itself if JavaScript may have it. */
  sampledObjects(stacks: Uint32Array): [size: number, object?: object][];
  /** Tests only: see `HeapLimitDump` of `native/dump/heap_limit_dump.h`. */
  hideNodesOutOfMemoryHandler(): void;
  /**
   * For tests: ends the process as when V8 runs out of heap at this moment, or, with `inside`, in the middle of memprof's
   * work at the next collection.
   */
  pretendOutOfMemory(inside?: boolean): void;
}

/** For an option that was left out, a number is 0, a switch is -1, and `heapLimitDump` is missing. */
export interface NativeStartOptions {
  sampleInterval: number;
  /** Where memprof takes samples itself; 0 if the interval is fixed. */
  finestInterval: number;
  stackDepth: number;
  maxOverhead: number;
  maxPause: number;
  maxTableBytes: number;
  labelThreads: number;
  reset: boolean;
  /** An absolute path, or '' for none. */
  heapLimitDump?: string;
  buffers: number;
  bufferSampleInterval: number;
  directSamples: number;
  callSites: number;
  /** Bytes of the buffers that the thread already has; not an option. */
  existingBuffers: number;
}

/** `StartResult` of `native/isolate/isolate_registry.h`. */
export enum NativeStartResult {
  started = 0,
  alreadyRunning = 1,
  samplerBusy = 2,
  otherInterval = 3,
  resetWhileRunning = 4,
  otherBufferInterval = 5,
}

/** What was in use at an earlier moment: the records have nothing that was freed. Bytes. */
export interface NativeMoment extends NativeRecords {
  ageMs: number;
  /** Of all threads, after the collection. */
  heapUsed: number;
  /** Of the thread that collected. */
  external: number;
  rss: number;
  /** Sampled bytes of small records that were left out to save memory. */
  leftOutBytes: number;
}

export interface NativeRecords {
  /** allocBytes, freeBytes, allocObjects, freeObjects of each record, newest record first. */
  figures: Float64Array;
  stacks: Uint32Array;
  /** 0: shared by all threads; 0xffffffff: threads beyond those with labels; otherwise the thread's id + 1. */
  threads: Uint32Array;
  /** The number of each record's set of labels; 0 for none. */
  labels: Uint32Array;
  /** Numbers of the intervals at which the samples were taken. */
  intervals: Uint16Array;
  /** The largest object size of each record's size class. */
  sizeLimits: Float64Array;
  /**
   * Objects and bytes of each record that outlived a major garbage collection and died later, and their mean age in
   * milliseconds, as far as memprof took the samples itself. Empty unless it was asked for, and of moments.
   */
  promoted?: Float64Array;
}

/** Records of one moment, stored outside all V8 heaps. */
export interface NativeSnapshot {
  /** URLs of the scripts in its stacks, without duplicates. */
  files: string[];
  /** References to the frames of a file, given by its index. */
  framesOf(file: number): Uint32Array;
  /** Encodes the records as pprof's protobuf, uncompressed. Can be called only once, because it consumes the snapshot. */
  encode(options: NativeProtoOptions): Promise<Buffer>;
}

export interface NativeProtoOptions {
  sampleInterval: number;
  timeNanos: number;
  defaultSampleType: string;
  program: string;
  comments: readonly string[];
  /** The names to write for `files`. */
  fileNames: readonly string[];
  /** References to frames to write differently, and what to write; all these arrays have the same length. */
  shownFrames: readonly number[];
  shownFunctions: readonly string[];
  shownFiles: readonly string[];
  shownLines: readonly number[];
  shownColumns: readonly number[];
  /** Lines where the functions start. */
  shownStarts: readonly number[];
}

/** `MemFigures` of `native/gc/gc_clock.h`. */
export interface NativeMemFigures {
  totalAlloc: number;
  heapUsed: number;
  /** Of one thread. */
  largestHeap: number;
  heapCommitted: number;
  heapResident: number;
  heapIdle: number;
  heapLimit: number;
  malloced: number;
  globalHandles: number;
  external: number;
  /** Of it, about, the sources of Node.js, which lie in its program. */
  staticExternal: number;
  /** What the calling thread's objects and addons have told V8 of, by AdjustExternalMemory. */
  reportedExternal: number;
  /** Used and committed bytes of spaces, by `SpaceKind` of `native/gc/mem_figures.h`. */
  spaces: Float64Array;
  stackInuse: number;
  stackSys: number;
  lifetimeNs: number;
  numMinorGC: number;
  numMajorGC: number;
  pauseMinorTotalNs: number;
  pauseMajorTotalNs: number;
  numForcedGC: number;
  lastGC: number;
  pauseNs: Float64Array;
  pauseEnd: Float64Array;
}

/** `MemoryMap` of `native/gc/memory_map.h` and `MallocState` of `native/gc/malloc_state.h`. */
export interface NativeMemory {
  /** Why `map` has only zeros; else ''. */
  problem: string;
  map: Record<
    | 'rss'
    | 'heap'
    | 'code'
    | 'stacks'
    | 'reserved'
    | 'brk'
    | 'arenas'
    | 'chunks'
    | 'files'
    | 'shared'
    | 'other'
    | 'mappings'
    | 'stackCount',
    number
  >;
  /** Why `arenas` is empty; else ''. */
  mallocProblem: string;
  /** Bytes taken from the system and free bytes, of each arena in turn. */
  arenas: Float64Array;
  /** Bytes of the chunks that malloc mapped each for itself. */
  mapped: number;
}

/** Total bytes of buffers, of all threads whose buffers are or were profiled. */
export interface NativeBufferFigures {
  inUse: number;
  allocated: number;
  /** Whether the calling thread is one of them. */
  counted: boolean;
}

/** `AllocationCounts` of `native/heap/allocation_counter.h`. */
export interface NativeCount {
  /** All allocations, including those whose samples are gone. */
  events: number;
  /** Sites of the samples that still exist, which is all of them with `kept`; estimates if the interval is not 1. Leaf first. */
  sites: {
    events: number;
    bytes: number;
    frames: [name: string, url: string, line: number, column: number][];
  }[];
}

let loaded: NativeAddon | undefined;

/**
 * The addon, which the first call loads.
 * Throws `ERR_MEMPROF_NO_BINARY` if no binary loads, and `ERR_MEMPROF_ABI` if it was built for another version of Node.js.
 */
export function native(): NativeAddon {
  if (loaded === undefined) {
    const addon = binary().loadBinary() as NativeAddon;
    addon.setThreadId(workerThreads().threadId);
    loaded = addon;
  }
  return loaded;
}

/** The addon if it is already loaded: before that there is nothing to stop or to undo. */
export function nativeIfLoaded(): NativeAddon | undefined {
  return loaded;
}

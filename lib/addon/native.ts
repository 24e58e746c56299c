import { lazily } from '../base/lazily.js';
import type { NativeStatus } from './status-figures.js';

const binary = lazily(() => require('./binary.js') as typeof import('./binary.js'));
const workerThreads = lazily(() => require('node:worker_threads') as typeof import('node:worker_threads'));

/** What `native/binding/addon.cc` exports. Arguments are not checked there. */
export interface NativeAddon {
  start(options: NativeStartOptions): NativeStartResult;
  stop(): void;
  /** Of the heap, or of buffers; refs of stacks and frames are those of the one profile. */
  countRecords(inuseZero: boolean, buffers: boolean): number;
  readRecords(inuseZero: boolean, buffers: boolean): NativeRecords;
  /** As of this thread's last garbage collection. */
  takeSnapshot(buffers: boolean): Promise<NativeSnapshot>;
  stackFrames(stack: number, buffers: boolean): Uint32Array;
  /** `start` and `length` are `ScriptPlace` of `native/profile_tables.h`. */
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
  ];
  readMemFigures(process: boolean): NativeMemFigures;
  readBufferFigures(): NativeBufferFigures;
  readStatus(): NativeStatus;
  /** For `meterOnThread`: the thread's CPU time without what is metered already, and to meter what came since. */
  writingClock(): number;
  countWriting(since: number): void;
  /**
   * Adds `sign` times this thread's figures to `figures`: bytes ever allocated, minor and major collections, their
   * pauses in ns. Allocates nothing on V8's heap.
   */
  readMeter(figures: Float64Array, sign: number): void;
  /** Calls the function and puts what that did to these figures there. Allocates nothing itself. */
  meterCalls(fn: () => unknown, calls: number, figures: Float64Array): void;
  /** Samples this thread by a sampler of its own, apart from the profiler; false when it is sampled already. */
  startCount(interval: number, stackDepth: number, kept: boolean): boolean;
  /** `startCount` and calls of the function. When one throws, nothing is counted any more. */
  countCalls(fn: () => unknown, calls: number, interval: number, stackDepth: number, kept: boolean): boolean;
  /**
   * What was allocated since the start; null when somebody else stopped the sampler. `mark` must be called
   * `memprofEndOfCount` and allocate; without it the count is given up.
   */
  endCount(mark?: () => object): NativeCount | null;
  /**
   * Asks all profiled threads for figures as of their last garbage collection, or of one made for it. The result tells
   * of how many threads they are still awaited; a thread that is in a long native call may never answer.
   */
  refresh(collect: boolean): () => number;
  setThreadId(id: number): void;
  onDisplaced(callback: () => void): void;
  restart(): boolean;
  /** Tests and benchmarks only: see `native/heap/sample_recorder.h`. */
  record(file?: string): boolean;
  /** Tests only: how often the lock of `native/isolate/isolate_registry.h` was taken, this time included. */
  registryLockings(): number;
  /** Tests only: takes this thread's sampler for another's. */
  mistakeForAnothers(): void;
  /** Tests only: see `HeapLimitDump` of `native/dump/heap_limit_dump.h`. */
  hideNodesOutOfMemoryHandler(): void;
}

/** Numbers are 0, `labelThreads` and `buffers` are -1, `heapLimitDump` is not there, where the option is left out. */
export interface NativeStartOptions {
  sampleInterval: number;
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
  /** Bytes of the thread's buffers; not an option. */
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

export interface NativeRecords {
  /** allocBytes, freeBytes, allocObjects, freeObjects of each record, newest record first. */
  figures: Float64Array;
  stacks: Uint32Array;
  /** 0: shared by all threads; 0xffffffff: of threads beyond those told apart; else the thread's id + 1. */
  threads: Uint32Array;
  /** The largest object size of each record's size class. */
  sizeLimits: Float64Array;
}

/** Records of one moment, on no thread's heap. */
export interface NativeSnapshot {
  /** URLs of the scripts in its stacks, each once. */
  files: string[];
  /** Refs of the frames that are in a file, by its index. */
  framesOf(file: number): Uint32Array;
  /** The records in pprof's proto, not compressed. Once: it is nothing afterwards. */
  encode(options: NativeProtoOptions): Promise<Buffer>;
}

export interface NativeProtoOptions {
  sampleInterval: number;
  timeNanos: number;
  defaultSampleType: string;
  program: string;
  /** What `files` are called. */
  fileNames: readonly string[];
  /** Refs of frames that are shown otherwise, and how; arrays of one length. */
  shownFrames: readonly number[];
  shownFunctions: readonly string[];
  shownFiles: readonly string[];
  shownLines: readonly number[];
  shownColumns: readonly number[];
}

/** `MemFigures` of `native/gc/gc_clock.h`. */
export interface NativeMemFigures {
  totalAlloc: number;
  heapUsed: number;
  heapCommitted: number;
  heapResident: number;
  heapIdle: number;
  heapLimit: number;
  malloced: number;
  globalHandles: number;
  external: number;
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

/** Bytes of all buffers of threads whose buffers are, or were, profiled. */
export interface NativeBufferFigures {
  inUse: number;
  allocated: number;
  /** Whether the calling thread is one of them. */
  counted: boolean;
}

/** `AllocationCounts` of `native/heap/allocation_counter.h`. */
export interface NativeCount {
  /** Allocations, also those whose samples are gone. */
  events: number;
  /** Of the samples there still are: all, with `kept`; estimates at other intervals than 1. Frames are leaf first. */
  sites: {
    events: number;
    bytes: number;
    frames: [name: string, url: string, line: number, column: number][];
  }[];
}

let loaded: NativeAddon | undefined;

/**
 * The addon, loaded at the first call.
 * Throws `ERR_MEMPROF_NO_BINARY` when there is none that loads, `ERR_MEMPROF_ABI` when it is another Node's.
 */
export function native(): NativeAddon {
  if (loaded === undefined) {
    const addon = binary().loadBinary() as NativeAddon;
    addon.setThreadId(workerThreads().threadId);
    loaded = addon;
  }
  return loaded;
}

/** The addon if it is loaded already: until then there is nothing to stop or to undo. */
export function nativeIfLoaded(): NativeAddon | undefined {
  return loaded;
}

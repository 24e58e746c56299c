/** One frame of an allocation stack. */
export interface Frame {
  /**
   * Function name as V8 knows it. A function without a name has its place instead: `(anonymous server.js:35)`; the code of a
   * file outside of functions is `(module server.js)`, V8's own functions are `(builtin map)`, and its own work is `(GC)`,
   * `(V8 API)` ….
   */
  functionName: string;
  /** Path of the script (a `file:` URL is turned into a path), or V8's name for it (`node:fs`); may be ''. */
  fileName: string;
  /** 1-based line of the start of the function, 0 if unknown; with `callSites`, that of the call or the allocation. */
  lineNumber: number;
  /** 1-based column of the start of the function, 0 if unknown; with `callSites`, that of the call where V8 tells it. */
  columnNumber: number;
  /** 1-based line of the start of the function, where `lineNumber` is another one; 0 if unknown. */
  startLine?: number;
  /** With `callSites`: the function was inlined into that of the next frame. Both have one address. */
  inlined?: true;
  /**
   * Synthetic address of the frame: the same for the same function in the same place of the same file, in every
   * process and version. Profiles in text form name frames by it.
   */
  address: number;
}

/**
 * One bucket of the profile: what one allocation stack and size class allocated and freed. Figures are raw sampled
 * ones, as in Go's `runtime.MemProfileRecord`: each sampled object counts once, with its own size in bytes.
 */
export interface MemProfileRecord {
  /** Bytes of the sampled objects allocated here. */
  allocBytes: number;
  /** Bytes of those that were freed. */
  freeBytes: number;
  /** Number of sampled objects allocated here. */
  allocObjects: number;
  /** Number of those that were freed. */
  freeObjects: number;
  /** Id of the thread, where threads are told apart (`labelThreads`); -1 for threads that started when half of `maxTableBytes` was used. */
  thread?: number;
  /** The labels that the program had set (`withLabels`), where there were some. Shared and frozen. */
  labels?: Readonly<Record<string, string>>;
  /** The allocation stack, leaf first. Frames are shared and frozen. */
  stack(): readonly Readonly<Frame>[];
  /** `allocBytes - freeBytes`. */
  inUseBytes(): number;
  /** `allocObjects - freeObjects`. */
  inUseObjects(): number;
}

/** What `start` returns. It is disposable: `using profiling = memprof.start();` stops at the end of the block. */
export interface Running extends Disposable {
  /** The same as `stop()` of the module, in the thread that calls it. */
  stop(): void;
}

/** Bounds of the interval between samples, in bytes. */
export interface SampleIntervalRange {
  finest: number;
  coarsest: number;
}

/**
 * What is left out is as in the thread that started last, or else the default: a worker that just calls `start()` is
 * profiled as its parent is.
 */
export interface StartOptions {
  /**
   * Mean bytes between two samples, 1 … 2^30; with 1, every allocation is sampled. Default 524288, as in Go; but as long as none was
   * asked for, samples that memprof takes itself become rarer, up to one in 2 MiB (8 MiB with `callSites`), before they cost more than
   * `maxOverhead`.
   *
   * In a range, memprof chooses the interval, where it takes the samples itself (`directSamples`): finer as long as
   * taking and reading samples costs little, coarser before it costs more than `maxOverhead`. Each sample counts
   * for the interval at which it was taken, so that no figure is biased by a change. Where V8 takes the samples, it is the
   * coarsest. A running process changes it with `setSampleInterval()`.
   */
  sampleInterval?: number | SampleIntervalRange;
  /**
   * Frames kept of a stack, leaf first, 1 … 512. Default 64; where memprof takes the samples itself (`directSamples`), a frame
   * costs little, and the default is 512, as long as half of `maxTableBytes` is free. Stacks that are deeper hang from a frame
   * `(truncated)`.
   */
  stackDepth?: number;
  /**
   * CPU time that reading V8's samples may take, as a share of wall time, 0.0001 … 1, beyond the first 100 ms. Above
   * it, some garbage collections go by unread: figures in use stay exact, allocations that died in between are
   * estimated. Default 0.005. See also `status().heap.overdueHarvests`.
   *
   * Where memprof takes the samples itself (`directSamples`), every collection is read. There it bounds the total cost, unless
   * `sampleInterval` was given as one number: then it bounds nothing. See `status().overhead.limited`.
   */
  maxOverhead?: number;
  /**
   * Milliseconds, 1 … 1000: when reading would take longer, it waits for a major collection, and when it would take five
   * times as long, until it is overdue: see `status().heap.overdueHarvests`. Default 20.
   */
  maxPause?: number;
  /** Limit on the memory of the process-wide tables in bytes, 1 MiB … 1 GiB. Default 32 MiB. */
  maxTableBytes?: number;
  /**
   * Give this thread records of its own, with its id as `thread`. Records of ended threads stay, so threads that start when half of
   * `maxTableBytes` is used share the id -1. Default false.
   */
  labelThreads?: boolean;
  /**
   * Profile workers that this thread creates from here on, by a wrapper around `worker_threads.Worker` which `stop()`
   * takes away again. Not needed where the process runs with `--require memprof/register`. Default false.
   */
  workers?: boolean;
  /**
   * A directory, made if it is not there: when this thread runs out of heap, the profile as of the last garbage
   * collection (with `directSamples`, as of that moment) is written there as text before Node.js ends the process, or
   * the worker, as it would anyway. The file
   * is called `memprof.DATE.TIME.PID.THREAD.NUMBER.oom.txt`; a line on standard error says so. `null` for no dump, the
   * default. See `status().dump.directory`.
   */
  heapLimitDump?: string | null;
  /**
   * Profile Buffers and ArrayBuffers as well: their memory is outside V8's heap. See `lookup('buffers')`. Linux and macOS
   * only; `status().buffers.problem` says why it is not done elsewhere. Default false.
   */
  buffers?: boolean;
  /**
   * Mean bytes of buffers between two samples, 1 … 2^30. Default 524288. Time for samples is bounded by `maxOverhead`,
   * too: as it runs low fewer are taken, and count for more. But with 1 every buffer is sampled, whatever
   * that takes.
   */
  bufferSampleInterval?: number;
  /**
   * Take samples without V8's help, on the clock of its sampler: at about a seventh of the cost, without losing any, whatever
   * `maxOverhead` is. It uses what V8 does not document, so it is done only on Linux on x64, where the first samples, taken both
   * ways, are equal, and ends when later ones are not: see `status().heap.source`. Default true. The variable
   * `MEMPROF_DIRECT_SAMPLES=0` switches it off, whatever the program asks for.
   */
  directSamples?: boolean;
  /**
   * Name the lines of calls and of allocations, and the functions that the optimiser inlined, by V8's CPU profiler. It needs
   * Node.js 22 or later, and samples that memprof takes itself: `directSamples`, which it switches on. It takes 5 to 30
   * microseconds a sample, memory for what V8 knows of its code, and works on code that is compiled from then on. It does not
   * start beside somebody else's CPU profiler, and ends when one appears: see `status().callSites`. Default false.
   */
  callSites?: boolean;
  /** Forget all records first. Only while no thread of the process is profiled. Default false. */
  reset?: boolean;
}

/** Go's `runtime.MemStats.BySize` entry; counts are estimates. */
export interface SizeClassStats {
  /** Largest object size of the class, in bytes. */
  size: number;
  mallocs: number;
  frees: number;
}

/** Go's `runtime.MemStats`, in camelCase, with V8's meaning; see `readMemStats`. Bytes, nanoseconds, counts. */
export interface MemStats {
  alloc: number;
  totalAlloc: number;
  sys: number;
  lookups: number;
  mallocs: number;
  frees: number;
  heapAlloc: number;
  heapSys: number;
  heapIdle: number;
  heapInuse: number;
  heapReleased: number;
  heapObjects: number;
  stackInuse: number;
  stackSys: number;
  mSpanInuse: number;
  mSpanSys: number;
  mCacheInuse: number;
  mCacheSys: number;
  buckHashSys: number;
  gcSys: number;
  otherSys: number;
  nextGC: number;
  lastGC: number;
  pauseTotalNs: number;
  pauseNs: number[];
  pauseEnd: number[];
  numGC: number;
  numForcedGC: number;
  gcCPUFraction: number;
  enableGC: boolean;
  debugGC: boolean;
  bySize: SizeClassStats[];
  maxRSS: number;
  /** Not Go's: memory outside V8's heap, and what of it Buffers and ArrayBuffers have. Part of `otherSys`. */
  external: number;
  arrayBuffers: number;
  /** Bytes of Buffers and ArrayBuffers allocated since the first `start({ buffers: true })`. */
  arrayBuffersTotalAlloc: number;
  /** Scavenges and minor mark-sweeps: part of `numGC`. */
  numMinorGC: number;
  /** Mark-compacts: part of `numGC`. */
  numMajorGC: number;
  /** Part of `pauseTotalNs`. */
  pauseMinorTotalNs: number;
  /** Part of `pauseTotalNs`. */
  pauseMajorTotalNs: number;
}

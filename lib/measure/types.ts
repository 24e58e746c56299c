import type { Frame } from '../profile/public-types.js';

/** What a function that may be async gives: a promise if it returned one. Of `any`, as of `JSON.parse`, none is expected. */
export type Awaitable<Returned, Result> = 0 extends 1 & Returned
  ? Result
  : [Returned] extends [PromiseLike<unknown>]
    ? Promise<Result>
    : Result;

/** What was allocated in one function (not counting what it called). */
export interface AllocationSite {
  functionName: string;
  /** Path of the script; '' where V8 names none. */
  fileName: string;
  /** 1-based line of the start of the function (V8 records no other), 0 if unknown. */
  lineNumber: number;
  bytesPerOp: number;
  /** Allocation events, as in `Measurement`. */
  allocsPerOp: number;
  /** Of all bytes, 0 … 1. */
  share: number;
  /** Of the stacks that end in this function, the one with the most bytes: leaf first, up to the measured function. */
  stack: readonly Omit<Readonly<Frame>, 'address'>[];
}

/** Lowest and highest of the batches that a figure is the mean of. */
export interface Spread {
  min: number;
  max: number;
}

/** What one call of a function allocates on V8's heap. Memory outside it (of Buffers) is not in these figures. */
export interface Measurement {
  /** Bytes of the allocated objects, headers included. */
  bytesPerOp: number;
  /**
   * Allocation events: pieces of memory that were taken from the heap. Optimised code and V8's builtins take several
   * neighbouring objects in one piece, which counts once; so this may be lower than the number of objects, and drop
   * when V8 optimises. `countObjects` tells objects apart.
   */
  allocsPerOp: number;
  /** Garbage collections, minor and major. */
  gcPerOp: number;
  /** Nanoseconds that those took, of the calling thread. */
  gcNsPerOp: number;
  /**
   * Growth of the heap, over all `meteredCalls`: `bytesPerOp` and what V8 allocates besides (unused ends of pages,
   * code that it compiles meanwhile). Much higher than `bytesPerOp` when something rare allocates much, which the
   * `countedCalls` did not meet.
   */
  heapBytesPerOp: number;
  /** Whether the last batches agreed to the byte and to the event; otherwise figures are means of all batches. */
  stable: boolean;
  /** How far the counted batches that were used differ: nothing at all, if `stable`. */
  spread: { bytesPerOp: Spread; allocsPerOp: Spread };
  /** Calls in the batches that events were counted in. */
  countedCalls: number;
  /** Calls that collections and the growth of the heap were taken from. */
  meteredCalls: number;
  /** Where it was allocated, most bytes first; 20 at most. */
  sites: readonly AllocationSite[];
}

/** How long is measured. */
export interface MeasureOptions {
  /**
   * Milliseconds of calls before anything is counted, 0 … 60000: V8 optimises meanwhile what is called often. With 0
   * there is one call, as in Go's `AllocsPerRun`, and what is counted is most likely not optimised. Default 100.
   */
  warmUp?: number;
  /** Milliseconds to meter collections and the growth of the heap, 0 … 60000. At least three batches. Default 100. */
  time?: number;
}

import type { Frame } from '../profile/public-types.js';

/**
 * The result of a measurement: a promise if the measured function returns one. If its type is `any`, as that of
 * `JSON.parse`, it is taken to be sync.
 */
export type Awaitable<Returned, Result> = 0 extends 1 & Returned
  ? Result
  : [Returned] extends [PromiseLike<unknown>]
    ? Promise<Result>
    : Result;

/** What one function allocated, without the functions that it called. */
export interface AllocationSite {
  functionName: string;
  /** Path of the script; '' if V8 names none. */
  fileName: string;
  /** Line where the function starts, counted from 1 (V8 records no other); 0 if unknown. */
  lineNumber: number;
  bytesPerOp: number;
  /** Allocation events, as in `Measurement`. */
  allocsPerOp: number;
  /** Share of all bytes, 0 … 1. */
  share: number;
  /** The stack with the most bytes that ends in this function: leaf first, up to the measured function. */
  stack: readonly Omit<Readonly<Frame>, 'address'>[];
}

/** The lowest and highest batch of a figure that is a mean of batches. */
export interface Spread {
  min: number;
  max: number;
}

/** What one call of a function allocates on V8's heap. Memory outside the heap, such as that of Buffers, is not included. */
export interface Measurement {
  /** Bytes of the allocated objects, headers included. */
  bytesPerOp: number;
  /**
   * Allocation events: pieces of memory that were taken from the heap. Optimised code and V8's builtins may allocate
   * several neighbouring objects in one piece, which counts once. So this may be lower than the number of objects, and may
   * drop when V8 optimises. `countObjects` counts objects.
   */
  allocsPerOp: number;
  /** Garbage collections, minor and major. */
  gcPerOp: number;
  /** Nanoseconds that the collections paused the calling thread. */
  gcNsPerOp: number;
  /**
   * Growth of the heap per call, over all `meteredCalls`: `bytesPerOp`, and what V8 itself allocates meanwhile (unused ends
   * of pages, compiled code). It is much higher than `bytesPerOp` if a rare event that is not among the `countedCalls`
   * allocates much.
   */
  heapBytesPerOp: number;
  /** Whether the last batches agreed to the byte and to the event. If not, figures are means of all batches. */
  stable: boolean;
  /** How much the batches behind the figures differ; not at all if `stable`. */
  spread: { bytesPerOp: Spread; allocsPerOp: Spread };
  /** The number of calls in which events were counted. */
  countedCalls: number;
  /** The number of calls in which collections and the growth of the heap were measured. */
  meteredCalls: number;
  /** The functions that allocated, those with the most bytes first; at most 20. */
  sites: readonly AllocationSite[];
}

/** How long to measure. */
export interface MeasureOptions {
  /**
   * How long to call the function before counting, in milliseconds, 0 … 60000, so that V8 can optimise it. With 0 there is
   * one such call, as in Go's `AllocsPerRun`, and the counted code is most likely not optimised. Default 100.
   */
  warmUp?: number;
  /**
   * How long to measure collections and the growth of the heap, in milliseconds, 0 … 60000; at least three batches run.
   * Default 100.
   */
  time?: number;
}

/** One part of the resident memory. */
export interface MemoryPart {
  /** `heap`, `buffers`, `native`, `mallocFree`, `reserved`, `code`, `stacks`, `files`, `shared`, `memprof`, `unexplained`. */
  name: MemoryPartName;
  /** Resident bytes. */
  bytes: number;
  /** What it is, in words. */
  title: string;
  /** What more is known of it, in words; '' for nothing. */
  detail: string;
}

/** The names of the parts of the resident memory. */
export type MemoryPartName =
  | 'heap'
  | 'buffers'
  | 'native'
  | 'mallocFree'
  | 'reserved'
  | 'code'
  | 'stacks'
  | 'files'
  | 'shared'
  | 'memprof'
  | 'unexplained';

/** V8's heaps, of all threads that have loaded memprof: bytes. */
export interface HeapMemory {
  used: number;
  committed: number;
  /** What a garbage collection freed just now, with `gc`; else null: V8 does not know it before. */
  garbage: number | null;
  /** Spaces, put together by what lies there. */
  spaces: { name: 'young' | 'old' | 'code' | 'large' | 'other'; used: number; committed: number }[];
  /** Used bytes of the largest of the heaps. */
  largest: number;
  /** The number of heaps: threads that have loaded memprof. */
  threads: number;
  /** Workers that have not, whose heaps are in the part `heap` and in none of these figures. */
  uncovered: number;
}

/** What JavaScript objects hold outside the heap, whether resident or not: bytes. */
export interface ExternalMemory {
  /** As V8 counts it: Buffers, external strings, resizable memory. */
  bytes: number;
  /**
   * What V8 was told of in the calling thread, by its own objects and by addons (AdjustExternalMemory). It is a sum that V8
   * plans its collections by: memory that grew counts with its old size, too, until the next collection.
   */
  reported: number;
  /** Of it, Buffers and ArrayBuffers; null where other threads may have some and buffers are not profiled. */
  buffers: number | null;
}

/** What malloc has: bytes. */
export interface MallocMemory {
  /** Taken from the system: arenas, and large chunks that are mapped each for itself. */
  system: number;
  inUse: number;
  /** Freed by the program, but kept. */
  free: number;
  mapped: number;
  arenas: { system: number; free: number }[];
}

/** What the memory mostly is, or what is wrong with it. */
export interface MemoryVerdict {
  kind: 'heap' | 'buffers' | 'threads' | 'native' | 'fragmentation' | 'reserved' | 'program' | 'unexplained';
  /** A sentence. */
  text: string;
  /** What to do, a sentence each. */
  advice: string[];
}

/** Where the resident memory of a process is, see `memoryBreakdown`. */
export interface MemoryBreakdown {
  pid: number;
  /** Resident bytes: the sum over `parts`. */
  rss: number;
  /** The largest first. */
  parts: MemoryPart[];
  /** Null for another process. */
  heap: HeapMemory | null;
  /** Null for another process. */
  external: ExternalMemory | null;
  /** Null where it is not known: `problems` says why. */
  malloc: MallocMemory | null;
  threads: number;
  mappings: number;
  verdict: MemoryVerdict;
  /** What is missing, and why: a sentence each. */
  problems: string[];
}

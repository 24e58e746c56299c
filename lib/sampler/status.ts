import { native } from '../addon/native.js';
import { type NativeStatus, NO_FIGURES } from '../addon/status-figures.js';
import { lazily } from '../base/lazily.js';
import type { LabelStatus } from './labels.js';
import { type SourceMapStatus, sourceMapStatus } from './source-map-tally.js';
import { isOwnWorker, workersWithout } from './workers.js';

type Figures<Group extends keyof NativeStatus> = NativeStatus[Group];

/** Sampling of the heap. Counts are over all threads unless it says otherwise. */
export interface HeapStatus extends Figures<'heap'> {}

/** What memprof costs the threads that it profiles: CPU time as a share (0 … 1) of the wall time profiled. */
export interface OverheadStatus extends Figures<'overhead'> {}

/** The process's tables of records, which `maxTableBytes` bounds. */
export interface TableStatus extends Figures<'tables'> {}

/** Lines of calls in samples of the heap, see `start({ callSites })`. */
export interface CallSiteStatus extends Figures<'callSites'> {}

/** Sampling of buffers, see `start({ buffers })`. */
export interface BufferStatus extends Figures<'buffers'> {}

/** The profile that is written when the heap is full, see `start({ heapLimitDump })`. */
export interface DumpStatus extends Figures<'dump'> {}

/** Figures for those who work on memprof: they change in any release. Times are in nanoseconds. */
export interface InternalStatus extends Figures<'internal'> {}

/** One thread of the process. */
export interface ThreadStatus {
  /** `threadId` of `node:worker_threads`: 0 is the main thread. */
  id: number;
  /**
   * `running`, `displaced` and `stopped` are as in `Status.state`. `uncovered` is a running worker that has not loaded
   * memprof; only workers that the calling thread created since it loaded memprof can be told.
   */
  state: 'stopped' | 'running' | 'displaced' | 'uncovered';
}

/** What the profiler is doing. */
export interface Status {
  /**
   * State of the calling thread.
   *
   * - `displaced`: somebody else stopped V8's sampler and uses it; nothing is counted until they are done.
   * - `unavailable`: memprof has no binary for this Node.js, and `start` would throw. All figures are 0 then.
   */
  state: 'stopped' | 'running' | 'displaced' | 'unavailable';
  /** Why memprof is unavailable; else null. */
  unavailable: string | null;
  /** Sampling of the heap. */
  heap: HeapStatus;
  /** What memprof costs. */
  overhead: OverheadStatus;
  /** The tables of records. */
  tables: TableStatus;
  /** Lines of calls. */
  callSites: CallSiteStatus;
  /** Sampling of buffers. */
  buffers: BufferStatus;
  /** The profile written when the heap is full. */
  dump: DumpStatus;
  /** Labels of samples, see `withLabels`. */
  labels: LabelStatus;
  /** Source maps that the calling thread had read for its profiles. */
  sourceMaps: SourceMapStatus;
  /** Threads that have loaded memprof, and workers that have not. Threads of memprof's own are left out. */
  threads: ThreadStatus[];
  /** Unstable: may change in any release. */
  internal: InternalStatus;
}

const labels = lazily(() => require('./labels.js') as typeof import('./labels.js'));

const STATES = ['stopped', 'running', 'displaced'] as const;

/** See lib/index.ts. */
export function status(): Status {
  let unavailable: string | null = null;
  let figures: NativeStatus;
  try {
    figures = native().readStatus();
    // What the calling thread has is in there only if it is counted.
    if (!native().readBufferFigures().counted) figures.buffers.bytes += process.memoryUsage().arrayBuffers;
  } catch (error) {
    unavailable = (error as Error).message;
    figures = structuredClone(NO_FIGURES);
  }
  const { state, threads, internal, ...groups } = figures;
  return {
    state: unavailable === null ? (STATES[state] ?? 'stopped') : 'unavailable',
    unavailable,
    ...groups,
    labels: labels().labelStatus(groups.heap.source === 'direct', groups.buffers.running),
    sourceMaps: sourceMapStatus(),
    threads: listThreads(threads),
    internal,
  };
}

/** Ids of the threads that are profiled. */
export function profiledThreads({ threads }: Status): number[] {
  return threads.filter(({ state }) => state === 'running').map(({ id }) => id);
}

function listThreads(pairs: Uint32Array): ThreadStatus[] {
  const threads: ThreadStatus[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const id = pairs[i]!;
    if (!isOwnWorker(id)) threads.push({ id, state: STATES[pairs[i + 1]!] ?? 'stopped' });
  }
  const loaded = new Set(threads.map(({ id }) => id));
  for (const id of workersWithout(loaded)) threads.push({ id, state: 'uncovered' });
  return threads.sort((a, b) => a.id - b.id);
}

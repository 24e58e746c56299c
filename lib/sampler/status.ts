import { type NativeStatus, native } from '../addon/native.js';
import { sourceMapStatus } from './source-map-tally.js';
import { uncoveredWorkers } from './workers.js';

/** What the profiler is doing. Counts and bytes are over all threads unless it says otherwise, times in nanoseconds. */
export interface Status {
  /**
   * Of the calling thread. `displaced`: somebody else stopped V8's sampler behind our back and uses it; nothing is
   * counted until they are done. `unavailable`: memprof has no binary for this Node.js, and `start` would throw.
   */
  state: 'stopped' | 'running' | 'displaced' | 'unavailable';
  /** Why memprof is unavailable; else null. All figures are 0 then. */
  unavailable: string | null;
  /** Mean bytes between two samples; 0 before the first start. */
  sampleInterval: number;
  /** Of the calling thread; 0 before its first start. */
  stackDepth: number;
  /**
   * Time since the garbage collection that the calling thread's published figures describe; of a thread that is not
   * profiled, the oldest of those of threads that are. 0 before any.
   */
  figuresAgeNs: number;
  /** How often V8's samples were read, and garbage collections that went by unread to keep within `maxOverhead`. */
  harvests: number;
  skippedGCs: number;
  /**
   * How often samples were read at a collection although that went beyond `maxOverhead` or `maxPause`, because they had
   * last been read longer ago than `harvestAgeLimitNs`: a minute, or, where reading takes so long that this were more
   * than twice `maxOverhead`, as much longer. That limit is the calling thread's, 0 before its first start.
   */
  overdueHarvests: number;
  harvestAgeLimitNs: number;
  /** CPU time of harvests at garbage collections, of harvests for a reader, and what of both was V8's own part. */
  harvestCpuNs: number;
  readCpuNs: number;
  translateCpuNs: number;
  /**
   * CPU time of memprof's own writers on the threads that are profiled: source maps, text, proto and other formats. What
   * they do on a thread of the pool, or on one that is not profiled, is not in it.
   */
  writeCpuNs: number;
  /** Wall time of the calling thread's last harvest, and of the longest one at a garbage collection. */
  lastHarvestNs: number;
  maxHarvestNs: number;
  /** Wall time profiled, added up over threads. */
  runningNs: number;
  /**
   * `harvestCpuNs`, `readCpuNs` and `writeCpuNs` as a fraction of that time, and the same for the last minute: what
   * memprof takes from the threads it profiles. Not in it: what V8 does itself for each sample it takes, samples of
   * buffers, what `readRecords`, `readMemStats` and `status` take when the program calls them, and what runs on other
   * threads.
   */
  overhead: number;
  overheadLastMinute: number;
  /**
   * Samples met; of these counted in records (the others wait for the end of their first collection) and still alive;
   * lost: taken by V8 and gone before they could be read; of these given to the records they most likely belong to.
   */
  samplesSeen: number;
  samplesPublished: number;
  samplesLive: number;
  samplesLost: number;
  samplesImputed: number;
  /** How often somebody else stopped V8's sampler behind our back. */
  displaced: number;
  /** Nodes of V8's call trees that are known. */
  treeNodes: number;
  /** Memory of the threads' own maps. */
  isolateBytes: number;
  /** Threads with memprof loaded, of these profiled, and those that ended. */
  isolates: number;
  isolatesRunning: number;
  isolatesEnded: number;
  /** Ids of the threads that are profiled. */
  runningThreads: number[];
  /** Ids of running workers, created by the calling thread since it loaded memprof, that are not profiled (yet). */
  uncoveredWorkers: number[];
  /** Memory of the tables in use, taken from the system, and allowed. */
  tableBytes: number;
  tableCommittedBytes: number;
  maxTableBytes: number;
  frames: number;
  stacks: number;
  buckets: number;
  /** Stacks cut to their leaf frames, and samples counted as `(overflow)`, because the tables are full. */
  cutStacks: number;
  overflowAllocs: number;
  /** Where the calling thread writes its profile when it runs out of heap; null if it does not. */
  heapLimitDump: string | null;
  /** Why there may be no such dump although `start` was asked for it; else null. */
  heapLimitDumpProblem: string | null;
  /** Whether the calling thread's buffers are sampled. */
  buffers: boolean;
  /** Why they are not although `start` was asked for it; else null. */
  buffersProblem: string | null;
  /** Mean bytes of buffers between two samples; 0 before buffers were sampled. */
  bufferSampleInterval: number;
  /** Buffers sampled, of these alive, and those not counted because too many were alive. */
  bufferSamples: number;
  bufferSamplesLive: number;
  bufferSamplesDropped: number;
  /**
   * For how many samples one stands at present, in the calling thread: more than 1 while sampling takes more time than
   * `maxOverhead` allows.
   */
  bufferThinning: number;
  /** Memory of the tables of buffers, taken from the system. */
  bufferTableBytes: number;
  /**
   * Source maps that the calling thread had read for its profiles, and those that were left out: frames of their files are
   * shown as they are.
   */
  sourceMaps: number;
  sourceMapsLeftOut: number;
  /** Why they were, as `2 too large, 1 not found`; null if none was. */
  sourceMapsProblem: string | null;
}

const NONE: NativeStatus = {
  state: 0,
  sampleInterval: 0,
  stackDepth: 0,
  figuresAgeNs: 0,
  harvests: 0,
  skippedGCs: 0,
  overdueHarvests: 0,
  harvestAgeLimitNs: 0,
  harvestCpuNs: 0,
  readCpuNs: 0,
  translateCpuNs: 0,
  writeCpuNs: 0,
  lastHarvestNs: 0,
  maxHarvestNs: 0,
  runningNs: 0,
  overhead: 0,
  overheadLastMinute: 0,
  samplesSeen: 0,
  samplesLost: 0,
  samplesImputed: 0,
  samplesPublished: 0,
  samplesLive: 0,
  displaced: 0,
  treeNodes: 0,
  isolateBytes: 0,
  isolates: 0,
  isolatesRunning: 0,
  isolatesEnded: 0,
  tableBytes: 0,
  tableCommittedBytes: 0,
  maxTableBytes: 0,
  frames: 0,
  stacks: 0,
  buckets: 0,
  cutStacks: 0,
  overflowAllocs: 0,
  runningThreads: new Uint32Array(0),
  heapLimitDump: null,
  heapLimitDumpProblem: null,
  buffers: false,
  buffersProblem: null,
  bufferSampleInterval: 0,
  bufferSamples: 0,
  bufferSamplesLive: 0,
  bufferSamplesDropped: 0,
  bufferThinning: 0,
  bufferTableBytes: 0,
};

/** Never throws. */
export function status(): Status {
  let unavailable: string | null = null;
  let figures = NONE;
  try {
    figures = native().readStatus();
  } catch (error) {
    unavailable = (error as Error).message;
  }
  const running = Array.from(figures.runningThreads);
  return {
    ...figures,
    state:
      unavailable === null
        ? ((['stopped', 'running', 'displaced'] as const)[figures.state] ?? 'stopped')
        : 'unavailable',
    unavailable,
    ...sourceMapStatus(),
    runningThreads: running,
    uncoveredWorkers: uncoveredWorkers(running),
  };
}

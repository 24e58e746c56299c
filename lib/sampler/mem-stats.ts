import {
  type NativeBufferFigures,
  type NativeMemFigures,
  type NativeRecords,
  native,
} from '../addon/native.js';
import { completeOptions } from '../base/check-options.js';
import { lazily } from '../base/lazily.js';
import type { MemStats, SizeClassStats } from '../profile/public-types.js';

const scaling = lazily(() => require('../profile/scaling.js') as typeof import('../profile/scaling.js'));

/** Options of `readMemStats`. */
export interface ReadMemStatsOptions {
  /** The whole process (default), or the calling thread's isolate. Counts of objects are always the process's. */
  scope?: 'process' | 'isolate';
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
 * Throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_NO_BINARY`.
 */
export function readMemStats(options?: ReadMemStatsOptions): MemStats {
  const { scope } = completeOptions('readMemStats', options);
  const figures = native().readMemFigures(scope === 'process');
  const status = native().readStatus();
  const objects = countObjects(native().readRecords(true, false), status.heap.sampleInterval);
  const buffers = native().readBufferFigures();
  const heap = heapSizes(figures);
  const buckHashSys = status.tables.committedBytes + status.internal.isolateBytes;
  const gcSys = figures.malloced + figures.globalHandles;
  const pauseTotalNs = figures.pauseMinorTotalNs + figures.pauseMajorTotalNs;
  return {
    alloc: heap.heapAlloc,
    totalAlloc: figures.totalAlloc,
    sys: heap.heapSys + figures.stackSys + buckHashSys + gcSys + figures.external,
    lookups: 0,
    mallocs: objects.mallocs,
    frees: objects.frees,
    ...heap,
    heapObjects: objects.mallocs - objects.frees,
    stackInuse: figures.stackInuse,
    stackSys: figures.stackSys,
    mSpanInuse: 0,
    mSpanSys: 0,
    mCacheInuse: 0,
    mCacheSys: 0,
    buckHashSys,
    gcSys,
    otherSys: figures.external,
    nextGC: figures.heapLimit,
    lastGC: figures.lastGC,
    pauseTotalNs,
    pauseNs: Array.from(figures.pauseNs),
    pauseEnd: Array.from(figures.pauseEnd),
    numGC: figures.numMinorGC + figures.numMajorGC,
    numForcedGC: figures.numForcedGC,
    gcCPUFraction: figures.lifetimeNs === 0 ? 0 : Math.min(1, pauseTotalNs / figures.lifetimeNs),
    enableGC: true,
    debugGC: false,
    bySize: objects.bySize,
    external: figures.external,
    arrayBuffers: scope === 'process' ? buffersInUse(buffers) : process.memoryUsage().arrayBuffers,
    arrayBuffersTotalAlloc: buffers.allocated,
    maxRSS: process.resourceUsage().maxRSS * 1024,
    numMinorGC: figures.numMinorGC,
    numMajorGC: figures.numMajorGC,
    pauseMinorTotalNs: figures.pauseMinorTotalNs,
    pauseMajorTotalNs: figures.pauseMajorTotalNs,
  };
}

function buffersInUse({ inUse, counted }: NativeBufferFigures): number {
  return counted ? inUse : inUse + process.memoryUsage().arrayBuffers;
}

/** Figures of threads are read at different moments: Go's relations between them are kept here. */
function heapSizes(figures: NativeMemFigures) {
  const heapAlloc = figures.heapUsed;
  const heapSys = Math.max(figures.heapCommitted, heapAlloc);
  const heapIdle = Math.min(figures.heapIdle, heapSys - heapAlloc);
  const heapReleased = Math.min(Math.max(0, heapSys - figures.heapResident), heapIdle);
  return { heapAlloc, heapSys, heapIdle, heapInuse: heapSys - heapIdle, heapReleased };
}

function countObjects(records: NativeRecords, sampleInterval: number) {
  const { scaleFactor } = scaling();
  const bySize = new Map<number, SizeClassStats>();
  let mallocs = 0;
  let frees = 0;
  records.sizeLimits.forEach((size, i) => {
    const [allocBytes, , allocObjects, freeObjects] = records.figures.subarray(i * 4, i * 4 + 4);
    const factor = scaleFactor(allocObjects!, allocBytes!, sampleInterval);
    const allocated = Math.round(allocObjects! * factor);
    const freed = Math.round(freeObjects! * factor);
    mallocs += allocated;
    frees += freed;
    const entry = bySize.get(size) ?? { size, mallocs: 0, frees: 0 };
    bySize.set(size, { size, mallocs: entry.mallocs + allocated, frees: entry.frees + freed });
  });
  return { mallocs, frees, bySize: [...bySize.values()].sort((a, b) => a.size - b.size) };
}

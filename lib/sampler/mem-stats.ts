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

/** See lib/index.ts. */
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

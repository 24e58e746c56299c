import os from 'node:os';
import { native } from '../addon/native.js';
import { memprofError } from '../base/errors.js';
import { scaleFactor } from '../profile/scaling.js';
import { readMemStats } from '../sampler/mem-stats.js';

/** What a snapshot of a heap is likely to take: objects in it, milliseconds and bytes. */
export interface SnapshotCost {
  heapBytes: number;
  objects: number;
  milliseconds: number;
  bytes: number;
}

// Measured on Node.js 20 and 26, see docs/leaks.md. What goes with bytes is for references, of which large arrays have many.
const MS_PER_OBJECT = 0.004;
const MS_PER_HEAP_BYTE = 15e-6;
const BYTES_PER_OBJECT = 600;
const BYTES_PER_HEAP_BYTE = 4;
// Of what was there before the first sample.
const UNSAMPLED_SIZE = 64;
const MIB = 2 ** 20;

/** Of the heap of all threads, since other threads' figures are known only together. */
export function snapshotCost(): SnapshotCost {
  const heapBytes = readMemStats().heapAlloc;
  const { figures } = native().readRecords(false, false);
  const { sampleInterval } = native().readStatus().heap;
  let [objects, unsampled] = [0, heapBytes];
  for (let at = 0; at < figures.length; at += 4) {
    const sampledBytes = figures[at]! - figures[at + 1]!;
    const sampledObjects = figures[at + 2]! - figures[at + 3]!;
    const factor = scaleFactor(sampledObjects, sampledBytes, sampleInterval);
    objects += sampledObjects * factor;
    unsampled -= sampledBytes * factor;
  }
  objects = Math.round(objects + Math.max(0, unsampled) / UNSAMPLED_SIZE);
  return {
    heapBytes,
    objects,
    milliseconds: objects * MS_PER_OBJECT + heapBytes * MS_PER_HEAP_BYTE,
    bytes: objects * BYTES_PER_OBJECT + heapBytes * BYTES_PER_HEAP_BYTE,
  };
}

export function refuseIfTooCostly(
  { heapBytes, milliseconds, bytes }: SnapshotCost,
  maxHeapBytes: number,
): void {
  const mb = (value: number) => `${Math.round(value / MIB)} MB`;
  const cost =
    `a snapshot of ${mb(heapBytes)} of heap stops the thread for about ${(milliseconds / 1000).toFixed(1)} s ` +
    `and takes about ${mb(bytes)} of memory`;
  if (heapBytes > maxHeapBytes) {
    throw memprofError(
      'ERR_MEMPROF_COSTLY',
      `${cost}: raise maxHeapBytes (${mb(maxHeapBytes)}), or say --yes, if it is worth that`,
    );
  }
  const available = (process as { availableMemory?: () => number }).availableMemory?.() ?? os.freemem();
  if (bytes > available) {
    throw memprofError('ERR_MEMPROF_COSTLY', `${cost}, and there are only ${mb(available)} left`);
  }
}

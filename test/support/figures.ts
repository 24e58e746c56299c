import { scaleFactor } from '../../lib/scaling.js';

/** A record as `test/programs/support/report.cjs` prints it. */
export interface PlainRecord {
  allocBytes: number;
  freeBytes: number;
  allocObjects: number;
  freeObjects: number;
  /** Function names, leaf first. */
  functions: string[];
}

export interface Figures {
  allocBytes: number;
  inUseBytes: number;
}

/** Go's sums: each record is scaled by its own mean object size, allocations and what is in use apart. */
export function scaledSums(records: readonly PlainRecord[], sampleInterval: number): Figures {
  const sums = { allocBytes: 0, inUseBytes: 0 };
  for (const { allocBytes, freeBytes, allocObjects, freeObjects } of records) {
    const inUseBytes = allocBytes - freeBytes;
    sums.allocBytes += allocBytes * scaleFactor(allocObjects, allocBytes, sampleInterval);
    sums.inUseBytes += inUseBytes * scaleFactor(allocObjects - freeObjects, inUseBytes, sampleInterval);
  }
  return sums;
}

/** The records with the function on their stack. */
export function recordsOf(records: readonly PlainRecord[], functionName: string): PlainRecord[] {
  return records.filter(({ functions }) => functions.includes(functionName));
}

export function relativeError(estimate: number, truth: number): number {
  return Math.abs(estimate / truth - 1);
}

/**
 * How far an estimate from samples may be off: `sigmas` standard deviations, as a share of the truth. Each of the
 * `objects` is sampled with probability 1 - exp(-size / interval), and counts for its inverse.
 */
export function tolerance(objects: number, size: number, sampleInterval: number, sigmas: number): number {
  const probability = 1 - Math.exp(-size / sampleInterval);
  return sigmas * Math.sqrt((1 - probability) / (probability * objects));
}

import { scaleFactor } from '#dist/profile/scaling.js';

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

/**
 * Those of a function's records that hold its objects of `size` bytes. V8's own (feedback, code) go to the function's
 * account as well; most have other sizes, but now and then one falls into the same size class, and so into the same record.
 */
export function objectsOf(
  records: readonly PlainRecord[],
  functionName: string,
  size: number,
): PlainRecord[] {
  return recordsOf(records, functionName).filter(
    ({ allocBytes, allocObjects }) => Math.abs(allocBytes / allocObjects - size) < 1,
  );
}

/** Samples of V8's own objects that may be among these records: none when every one has the size. */
export function strangers(records: readonly PlainRecord[], size: number): number {
  return records.every(({ allocBytes, allocObjects }) => allocBytes === allocObjects * size) ? 0 : 3;
}

export function sampledInUse(records: readonly PlainRecord[]): number {
  return records.reduce((sum, { allocObjects, freeObjects }) => sum + allocObjects - freeObjects, 0);
}

export function sampledFreed(records: readonly PlainRecord[]): number {
  return records.reduce((sum, { freeObjects }) => sum + freeObjects, 0);
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

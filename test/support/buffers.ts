import type { Test } from 'tap';
import type { ProfileData, ProfileFrame } from '#dist/profile/model.js';
import { endedWell, lastLine, type Outcome } from './hazard.js';

export interface Site {
  leaf: Readonly<ProfileFrame>;
  functions: string[];
  allocBytes: number;
  inUseBytes: number;
}

/** Values of a profile added up by the place of the leaf, most bytes in use first. */
export function sitesOf(profile: ProfileData): Site[] {
  const column = (type: string) => profile.sampleTypes.findIndex((each) => each.type === type);
  const [alloc, inUse] = [column('alloc_space'), column('inuse_space')];
  const sites = new Map<string, Site>();
  for (const { stack, values } of profile.samples) {
    const leaf = stack[0]!;
    const key = `${leaf.functionName} ${leaf.fileName}:${leaf.lineNumber}`;
    const functions = stack.map(({ functionName }) => functionName);
    const site = sites.get(key) ?? { leaf, functions, allocBytes: 0, inUseBytes: 0 };
    site.allocBytes += values[alloc]!;
    site.inUseBytes += values[inUse]!;
    sites.set(key, site);
  }
  return [...sites.values()].sort((a, b) => b.inUseBytes - a.inUseBytes);
}

export function sumInUse(sites: readonly Site[]): number {
  return sites.reduce((sum, { inUseBytes }) => sum + inUseBytes, 0);
}

export interface BufferFigures {
  allocObjects: number;
  allocBytes: number;
  inUseObjects: number;
  inUseBytes: number;
  wrong: number;
}

/** What test/programs/support/buffer-figures.cjs prints. */
export interface BufferReport extends BufferFigures {
  buffers: boolean;
  bufferSamplesDropped: number;
  arrayBuffers: number;
  arrayBuffersTotalAlloc: number;
  /** What the program added. */
  [more: string]: unknown;
}

/** Bytes that Node.js itself has from before the profiler began, and small buffers of the tests' own. */
export const BASELINE = 200_000;

/**
 * In every report: nothing wrong in any record, and, where every buffer is sampled, records agree with the allocators'
 * own count of bytes.
 */
export function plausibleBuffers(
  t: Test,
  outcome: Outcome,
  { sampled = true, running = true } = {},
): BufferReport {
  endedWell(t, outcome);
  const report = lastLine<BufferReport>(outcome);
  t.equal(report.wrong, 0, 'no record is negative');
  t.equal(report.buffers, running, 'whether buffers are sampled to the end');
  t.equal(report.bufferSamplesDropped, 0, 'no sample dropped');
  if (sampled) {
    t.ok(
      Math.abs(report.arrayBuffers - report.inUseBytes) < BASELINE,
      `in use: ${report.inUseBytes} by records, ${report.arrayBuffers} by the allocator`,
    );
  }
  return report;
}

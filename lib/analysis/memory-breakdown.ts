import { threadId } from 'node:worker_threads';
import { type NativeMemFigures, native } from '../addon/native.js';
import { completeOptions } from '../base/check-options.js';
import { refreshFigures } from '../sampler/fresh-figures.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { status } from '../sampler/status.js';
import { breakDown } from './memory-parts.js';
import type { HeapMemory, MemoryBreakdown } from './memory-types.js';

/** Options of `memoryBreakdown`. */
export interface MemoryBreakdownOptions {
  /** Collect garbage first, in all profiled threads, and say how much there was. Default false. */
  gc?: boolean;
}

/** Milliseconds that other threads have to answer. */
const FRESH_MS = 100;
const COLLECT_MS = 10_000;

const SPACES = ['young', 'old', 'code', 'large', 'other'] as const;

/** See lib/index.ts. */
export async function memoryBreakdown(given?: MemoryBreakdownOptions): Promise<MemoryBreakdown> {
  const { gc } = completeOptions('memoryBreakdown', given);
  await refreshFigures(false, FRESH_MS);
  const before = native().readMemFigures(true).heapUsed;
  if (gc && !(await refreshFigures(true, COLLECT_MS))) await refreshFigures(false, FRESH_MS);
  const now = status();
  const figures = native().readMemFigures(true);
  const { external, arrayBuffers } = readMemStats();
  const memory = await native().readMemory(0);
  const uncovered = now.threads.filter(({ state }) => state === 'uncovered').length;
  const stopped = now.threads.filter(
    ({ id, state }) => id !== threadId && (state === 'stopped' || state === 'displaced'),
  ).length;
  return breakDown(memory, {
    pid: process.pid,
    heap: {
      ...heapOf(figures),
      garbage: gc ? Math.max(0, before - figures.heapUsed) : null,
      threads: now.internal.isolates,
      uncovered,
    },
    heapResident: figures.heapResident,
    external: {
      bytes: Math.max(external - figures.staticExternal, arrayBuffers),
      reported: figures.reportedExternal,
      buffers: now.internal.isolates === 1 || now.buffers.sampleInterval !== 0 ? arrayBuffers : null,
    },
    own: {
      mapped: now.tables.committedBytes + now.buffers.tableBytes,
      malloced: now.internal.isolateBytes,
    },
    problems: [
      ...(stopped > 0
        ? [`threads that are not profiled, ${stopped}: their heaps are as of their last garbage collections`]
        : []),
    ],
  });
}

/** What can be told of another process from outside. */
export async function memoryOf(pid: number): Promise<MemoryBreakdown> {
  return breakDown(await native().readMemory(pid), {
    pid,
    heap: null,
    heapResident: 0,
    external: null,
    own: { mapped: 0, malloced: 0 },
    problems: ['seen from outside; with the URL of its pages (memprof/http) much more is known'],
  });
}

function heapOf({
  heapUsed,
  heapCommitted,
  largestHeap,
  spaces,
}: NativeMemFigures): Omit<HeapMemory, 'garbage' | 'threads' | 'uncovered'> {
  return {
    used: heapUsed,
    committed: heapCommitted,
    largest: largestHeap,
    spaces: SPACES.map((name, i) => ({ name, used: spaces[2 * i]!, committed: spaces[2 * i + 1]! })),
  };
}

import type { Test } from 'tap';
import type { Status } from '#dist/index.js';
import {
  objectsOf,
  type PlainRecord,
  relativeError,
  sampledFreed,
  sampledInUse,
  scaledSums,
  strangers,
  tolerance,
} from './figures.js';
import { type Source, variablesOf } from './hazard.js';
import { report } from './run.js';

interface Report {
  all: PlainRecord[];
  inUse: PlainRecord[];
  afterwards: PlainRecord[];
  /** How many of the kept objects still are what they were. */
  intact: number;
  status: Status;
}

const SIZE = 344;

/** Runs `test/programs/kept-and-dropped.cjs` and checks the figures of both functions to as many sigma. */
export async function checkKeptAndDropped(
  t: Test,
  count: number,
  interval: number,
  flags: readonly string[] = [],
  source?: Source,
  sigmas = 4,
): Promise<void> {
  const { all, inUse, afterwards, intact, status } = await report<Report>('kept-and-dropped', {
    args: [String(count), String(interval)],
    flags: ['--expose-gc', ...flags],
    env: { ...process.env, ...variablesOf(source) },
  });
  const within = tolerance(count, SIZE, interval, sigmas);
  if (source !== undefined) {
    t.equal(status.internal.directSamples > 0, source === 'direct', 'the samples came from there');
    t.equal(status.heap.sourceProblem, null);
  }
  t.equal(intact, count, 'the program did what it should');
  t.equal(status.heap.samplesImputed, status.heap.samplesLost);
  t.equal(status.heap.displaced, 0, 'nobody else samples');

  const keptRecords = objectsOf(all, 'keep', SIZE);
  const keptStrangers = strangers(keptRecords, SIZE);
  const kept = scaledSums(keptRecords, interval);
  t.ok(relativeError(kept.allocBytes, count * SIZE) < within, 'kept: allocated', {
    kept,
    status,
    functions: [...new Set(all.map(({ functions }) => functions.slice(0, 2).join(' < ')))],
  });
  t.ok(sampledFreed(keptRecords) <= keptStrangers, 'kept: all in use', { keptRecords });
  t.strictSame(objectsOf(inUse, 'keep', SIZE), keptRecords, 'kept: the same without inuseZero');

  const droppedRecords = objectsOf(all, 'drop', SIZE);
  const droppedStrangers = strangers(droppedRecords, SIZE);
  const dropped = scaledSums(droppedRecords, interval);
  t.ok(relativeError(dropped.allocBytes, count * SIZE) < within, 'dropped: allocated', {
    dropped,
    status,
  });
  t.ok(sampledInUse(droppedRecords) <= droppedStrangers, 'dropped: nothing in use', { droppedRecords });
  if (droppedStrangers === 0) {
    t.strictSame(objectsOf(inUse, 'drop', SIZE), [], 'dropped: no record without inuseZero');
  }

  const later = objectsOf(afterwards, 'keep', SIZE);
  t.equal(scaledSums(later, interval).allocBytes, kept.allocBytes, 'kept and dropped later: still allocated');
  t.ok(sampledInUse(later) <= keptStrangers, 'kept and dropped later: not in use any more', { later });
}

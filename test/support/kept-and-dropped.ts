import type { Test } from 'tap';
import type { Status } from '../../lib/index.js';
import { type PlainRecord, recordsOf, relativeError, scaledSums, tolerance } from './figures.js';
import { report } from './run.js';

interface Report {
  all: PlainRecord[];
  inUse: PlainRecord[];
  afterwards: PlainRecord[];
  /** How many of the kept objects still are what they were. */
  intact: number;
  status: Status;
}

const SIZE = 128;

/** Of the objects, and not of V8's own that belong to the function: its feedback, its code. */
function objectsOf(records: readonly PlainRecord[], functionName: string): PlainRecord[] {
  return recordsOf(records, functionName).filter((each) => each.allocBytes === each.allocObjects * SIZE);
}

/** Runs `test/programs/kept-and-dropped.cjs` and checks the figures of both functions to 4 sigma. */
export async function checkKeptAndDropped(
  t: Test,
  count: number,
  interval: number,
  flags: readonly string[] = [],
): Promise<void> {
  const { all, inUse, afterwards, intact, status } = await report<Report>('kept-and-dropped', {
    args: [String(count), String(interval)],
    flags: ['--expose-gc', ...flags],
  });
  const within = tolerance(count, SIZE, interval, 4);
  t.equal(intact, count, 'the program did what it should');
  t.equal(status.samplesImputed, status.samplesLost);

  const kept = scaledSums(objectsOf(all, 'keep'), interval);
  t.ok(relativeError(kept.allocBytes, count * SIZE) < within, 'kept: allocated', {
    kept,
    status,
    functions: [...new Set(all.map(({ functions }) => functions.slice(0, 2).join(' < ')))],
  });
  t.equal(kept.inUseBytes, kept.allocBytes, 'kept: all in use');
  t.strictSame(objectsOf(inUse, 'keep'), objectsOf(all, 'keep'), 'kept: the same without inuseZero');

  const dropped = scaledSums(objectsOf(all, 'drop'), interval);
  t.ok(relativeError(dropped.allocBytes, count * SIZE) < within, 'dropped: allocated', { dropped });
  t.equal(dropped.inUseBytes, 0, 'dropped: nothing in use');
  t.strictSame(objectsOf(inUse, 'drop'), [], 'dropped: no record without inuseZero');

  const later = scaledSums(objectsOf(afterwards, 'keep'), interval);
  t.equal(later.allocBytes, kept.allocBytes, 'kept and dropped later: still allocated');
  t.equal(later.inUseBytes, 0, 'kept and dropped later: not in use any more');
}

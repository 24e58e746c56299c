import t, { type Test } from 'tap';
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
} from '../support/figures.js';
import { report } from '../support/run.js';

interface Snapshot {
  records: PlainRecord[];
  status: Status;
}

const SIZE = 128;
const COUNT = 50_000;
const INTERVAL = 1024;

/** Checks what a function allocated, 4 sigma for so many objects, and what of it is in use. */
function checkFunction(t: Test, snapshot: Snapshot, name: string, objects: number, inUse: boolean): void {
  const own = objectsOf(snapshot.records, name, SIZE);
  const { allocBytes } = scaledSums(own, INTERVAL);
  const error = relativeError(allocBytes, objects * SIZE);
  t.ok(error < tolerance(objects, SIZE, INTERVAL, 4), `${name}: allocated`, { error });
  const wrong = inUse ? sampledFreed(own) : sampledInUse(own);
  t.ok(wrong <= strangers(own, SIZE), `${name}: in use`, { own });
}

const skip = process.platform === 'linux' ? false : 'needs /proc/self/maps';

t.test(
  'totals of workers outlive them, and so does the addon that only they had loaded',
  { skip },
  async (t) => {
    const WORKERS = 3;
    const found = await report<
      Snapshot & { mappedBefore: boolean; mappedAfter: boolean; totalAlloc: number }
    >('workers-before-main', { args: [WORKERS, COUNT, INTERVAL].map(String) });
    t.equal(found.mappedBefore, false, 'the main thread does not load the addon by itself');
    t.equal(found.mappedAfter, true, 'the addon is not unloaded with the last worker');
    t.equal(found.status.internal.isolatesEnded, WORKERS);
    t.equal(found.status.internal.isolates, 1);
    t.equal(found.status.state, 'stopped', 'in the main thread');
    t.equal(found.status.heap.sampleInterval, INTERVAL);
    t.equal(found.status.heap.samplesImputed, found.status.heap.samplesLost);
    t.ok(found.totalAlloc >= WORKERS * COUNT * SIZE, 'totalAlloc counts them', {
      ...found,
      records: undefined,
    });
    checkFunction(t, found, 'keepInWorker', WORKERS * COUNT, false);
  },
);

t.test('threads that run at the same time are in one profile', async (t) => {
  const { together, alone } = await report<{ together: Snapshot; alone: Snapshot }>('threads-together', {
    args: [COUNT, INTERVAL].map(String),
  });
  t.equal(together.status.internal.isolatesRunning, 3);
  t.equal(together.status.heap.samplesImputed, together.status.heap.samplesLost);
  for (const name of ['keepInMain', 'keepInFirst', 'keepInSecond']) {
    checkFunction(t, together, name, COUNT, true);
  }

  t.equal(alone.status.internal.isolatesRunning, 1);
  t.equal(alone.status.internal.isolatesEnded, 2);
  t.equal(alone.status.heap.samplesImputed, alone.status.heap.samplesLost);
  checkFunction(t, alone, 'keepInMain', COUNT, true);
  for (const name of ['keepInFirst', 'keepInSecond']) checkFunction(t, alone, name, COUNT, false);
});

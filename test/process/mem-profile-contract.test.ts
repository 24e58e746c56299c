import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Frame, Status } from '#dist/index.js';
import type { PlainRecord } from '../support/figures.js';
import { programPath, report } from '../support/run.js';

type Result = { n: number; ok: boolean };
interface FullRecord extends PlainRecord {
  inUseBytes: number;
  inUseObjects: number;
}
interface Call {
  result: Result;
  length: number;
  untouched: number;
  filled: number;
  tailUntouched: boolean;
  records: FullRecord[];
}
interface Calls {
  n: number;
  nothing: Result;
  empty: Call;
  tooSmall: Call;
  exact: Call;
  bigger: Call;
  companion: FullRecord[];
}
interface Report {
  before: { nothing: Result; empty: Result };
  firstRead: { gcs: number; first: FullRecord[]; second: FullRecord[] };
  afterGC: FullRecord[];
  afterMore: FullRecord[];
  afterMoreGC: FullRecord[];
  all: Calls;
  inUse: Calls;
  frames: {
    stack: Frame[];
    sameStackTwice: boolean;
    sharedFrames: boolean;
    frozen: boolean;
    everyFrame: Frame[];
  };
  status: Status;
}

// Elements of `new Array(1000)`; V8 may allocate them together with the array itself.
const SIZE = 16 + 1000 * 8;
const BATCH = 200;
// Room in the young generation, so that only the program collects.
const FLAGS = ['--expose-gc', '--min-semi-space-size=16'];

/** Objects of the program's own that the function, or one it called, allocated. */
function objectsOf(records: readonly FullRecord[], functionName: string) {
  const own = records.filter(
    ({ functions, allocBytes, allocObjects }) =>
      functions.includes(functionName) &&
      allocBytes >= allocObjects * SIZE &&
      allocBytes <= allocObjects * (SIZE + 64),
  );
  const sum = (pick: (each: FullRecord) => number) => own.reduce((total, each) => total + pick(each), 0);
  return { allocated: sum((each) => each.allocObjects), inUse: sum((each) => each.inUseObjects) };
}

function checkCalls(t: Test, calls: Calls): void {
  const { n } = calls;
  t.ok(n > 1, 'there are records');
  t.strictSame(calls.nothing, { n, ok: false }, 'null has room for none');
  t.strictSame(calls.empty.result, { n, ok: false }, 'an empty array has room for none');

  t.strictSame(calls.tooSmall.result, { n, ok: false }, 'one too small');
  t.equal(calls.tooSmall.untouched, n - 1, 'one too small: nothing is touched');
  t.equal(calls.tooSmall.length, n - 1, 'one too small: it does not grow');

  t.strictSame(calls.exact.result, { n, ok: true }, 'exactly enough');
  t.equal(calls.exact.filled, n, 'exactly enough: all filled');
  t.equal(calls.exact.length, n);

  t.strictSame(calls.bigger.result, { n, ok: true }, 'more than enough');
  t.equal(calls.bigger.filled, n, 'more than enough: no more is filled than there is');
  t.equal(calls.bigger.untouched, 50);
  t.equal(calls.bigger.tailUntouched, true, 'more than enough: the rest is what it was');
  t.equal(calls.bigger.length, n + 50, 'more than enough: it does not shrink');

  t.strictSame(calls.bigger.records, calls.exact.records, 'the same records each time');
  t.strictSame(calls.companion, calls.exact.records, 'readRecords gives the same');
}

t.test('MemProfile keeps the contract of Go', async (t) => {
  const found = await report<Report>('contract', { flags: FLAGS });
  t.equal(found.status.heap.samplesImputed, found.status.heap.samplesLost);

  t.test('before the first start there is nothing, and that fits', async (t) => {
    t.strictSame(found.before, { nothing: { n: 0, ok: true }, empty: { n: 0, ok: true } });
  });

  t.test('n, ok and the array: all records', async (t) => checkCalls(t, found.all));
  t.test('n, ok and the array: records in use', async (t) => checkCalls(t, found.inUse));

  t.test('inuseZero: false leaves out what has nothing in use, and nothing else', async (t) => {
    const all = found.all.exact.records;
    t.ok(found.inUse.n < found.all.n, 'some have nothing in use');
    t.strictSame(
      found.inUse.exact.records,
      all.filter((each) => each.allocBytes !== each.freeBytes),
    );
  });

  t.test('the figures of a record', async (t) => {
    for (const each of found.all.exact.records) {
      const { allocBytes, freeBytes, allocObjects, freeObjects, inUseBytes, inUseObjects } = each;
      const good =
        [allocBytes, freeBytes, allocObjects, freeObjects].every((figure) => Number.isSafeInteger(figure)) &&
        inUseBytes === allocBytes - freeBytes &&
        inUseObjects === allocObjects - freeObjects &&
        allocObjects > 0 &&
        allocBytes > 0 &&
        freeBytes >= 0 &&
        inUseBytes >= 0 &&
        inUseObjects >= 0 &&
        (inUseObjects === 0) === (inUseBytes === 0);
      if (!good) t.fail('in figures that do not go together', each);
    }
    t.pass('all checked');
  });

  t.test('first read: before any collection it shows everything, then it is frozen', async (t) => {
    const { gcs, first, second } = found.firstRead;
    t.equal(gcs, 0, 'no collection came between');
    t.strictSame(objectsOf(first, 'keeper'), { allocated: BATCH, inUse: BATCH });
    t.strictSame(objectsOf(first, 'dropper'), { allocated: BATCH, inUse: BATCH });
    t.strictSame(second, first, 'the second read shows the same, though more was allocated');
  });

  t.test('figures are as of the last completed collection', async (t) => {
    t.strictSame(objectsOf(found.afterGC, 'keeper'), { allocated: 2 * BATCH, inUse: 2 * BATCH });
    t.strictSame(objectsOf(found.afterGC, 'dropper'), { allocated: 2 * BATCH, inUse: 0 });
    t.strictSame(objectsOf(found.afterGC, 'latecomer'), { allocated: BATCH, inUse: BATCH });
    t.strictSame(found.afterMore, found.afterGC, 'what came later does not show');
    t.strictSame(objectsOf(found.afterMoreGC, 'latecomer'), { allocated: 2 * BATCH, inUse: 2 * BATCH });
  });

  t.test('stacks and frames', async (t) => {
    const { stack, everyFrame } = found.frames;
    const file = programPath('contract');
    t.strictSame(
      stack.slice(0, 3).map((frame) => frame.functionName),
      ['leaf', 'keeper', 'outer'],
      'leaf first',
    );
    const source = readFileSync(file, 'utf8').split('\n');
    for (const { functionName, fileName, lineNumber, columnNumber } of stack.slice(0, 3)) {
      t.equal(fileName, file);
      const line = source.findIndex((text) => text.startsWith(`function ${functionName}(`)) + 1;
      t.equal(lineNumber, line, `${functionName}: the line it begins in`);
      t.ok(columnNumber > 0, `${functionName}: a column`);
    }
    t.equal(found.frames.sameStackTwice, true);
    t.equal(found.frames.sharedFrames, true, 'records share their frames');
    t.equal(found.frames.frozen, true);
    const keys = ['functionName', 'fileName', 'lineNumber', 'columnNumber', 'address'];
    for (const frame of everyFrame) {
      const good =
        keys.every((key) => key in frame) &&
        frame.functionName.length > 0 &&
        Number.isSafeInteger(frame.address) &&
        frame.address > 0 &&
        frame.lineNumber >= 0 &&
        frame.columnNumber >= 0;
      if (!good) t.fail('a frame is not as it should be', frame);
    }
    t.ok(everyFrame.length > 10, 'frames');
  });

  t.test('a frame has the same address in every process, and one of its own', async (t) => {
    const again = await report<Report>('contract', { flags: FLAGS });
    const addresses = (frames: readonly Frame[]) =>
      new Map(frames.map(({ address, ...place }) => [JSON.stringify(place), address]));
    const here = addresses(found.frames.everyFrame);
    const there = addresses(again.frames.everyFrame);
    t.equal(new Set(here.values()).size, found.frames.everyFrame.length, 'no two frames share one');
    const common = [...here.keys()].filter((place) => there.has(place));
    t.ok(common.length > 10, 'frames to compare', { common: common.length });
    t.strictSame(
      common.filter((place) => here.get(place) !== there.get(place)),
      [],
    );
  });
});

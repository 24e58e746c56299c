import t from 'tap';
import { bucketSamples, changesSince } from '#dist/profile/delta.js';
import { profileFromRecords } from '#dist/profile/heap-values.js';
import type { MemProfileRecord } from '#dist/profile/public-types.js';
import { frame, record } from '../support/records.js';

const options = { sampleInterval: 1, defaultSampleType: '', program: 'app', timeNanos: 0 };
const stacks = ['a', 'b', 'c'].map((functionName) => [frame({ functionName })]);

/** Newest record first, as they are read; a stack is the same object each time. */
function moment(...records: MemProfileRecord[]): MemProfileRecord[] {
  return records;
}

function bucket(stack: number, objects: number, inUse: number): MemProfileRecord {
  const figures = {
    allocObjects: objects,
    allocBytes: objects * 10,
    inUseObjects: inUse,
    inUseBytes: inUse * 10,
  };
  const made = record(figures, stacks[stack]!);
  made.stack = () => stacks[stack]!;
  return made;
}

const samplesOf = (records: MemProfileRecord[]) =>
  bucketSamples(records, profileFromRecords(records, options));

const valuesOf = (before: MemProfileRecord[], after: MemProfileRecord[]) =>
  changesSince(samplesOf(before), samplesOf(after)).map(({ stack, values }) => [
    stack[0]?.functionName,
    ...values,
  ]);

t.test('what happened in between, bucket by bucket', (t) => {
  const before = moment(bucket(1, 4, 2), bucket(0, 10, 10));
  const after = moment(bucket(2, 3, 1), bucket(1, 4, 2), bucket(0, 12, 5));
  t.strictSame(valuesOf(before, after), [
    ['c', 3, 30, 1, 10],
    ['a', 2, 20, -5, -50],
  ]);
  t.strictSame(valuesOf(after, after), [], 'nothing happened');
  t.end();
});

t.test('after a reset all is new', (t) => {
  const before = moment(bucket(1, 4, 2), bucket(0, 10, 10));
  t.strictSame(valuesOf(before, moment(bucket(0, 3, 3))), [['a', 3, 30, 3, 30]], 'fewer records');
  t.strictSame(
    valuesOf(before, moment(bucket(1, 1, 1), bucket(2, 2, 2))),
    [
      ['b', 1, 10, 1, 10],
      ['c', 2, 20, 2, 20],
    ],
    'as many, of other stacks',
  );
  t.strictSame(
    valuesOf(before, moment(bucket(0, 3, 3), bucket(1, 5, 2))),
    [
      ['a', 3, 30, 3, 30],
      ['b', 1, 10, 0, 0],
    ],
    'a bucket that has fewer allocations than before is new',
  );
  t.strictSame(valuesOf(moment(), before).length, 2, 'nothing before');
  t.end();
});

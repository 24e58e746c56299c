import { gzipSync } from 'node:zlib';
import t from 'tap';
import { formatHeapText } from '#dist/formats/gotext/encode.js';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { parseProfile } from '#dist/formats/readers.js';
import { readMemStats, readRecords, start, stop } from '#dist/index.js';
import { profileFromRecords } from '#dist/profile/heap-values.js';
import type { ProfileData, Sample } from '#dist/profile/model.js';
import type { MemProfileRecord } from '#dist/profile/public-types.js';
import { frame, record, someRecords } from '../support/records.js';

const options = {
  sampleInterval: 524288,
  defaultSampleType: 'inuse_space',
  timeNanos: 1.7e18,
  program: '/app/main.js',
};

function text(records: readonly MemProfileRecord[], header: 'heap' | 'heap_v2' = 'heap'): Buffer {
  return Buffer.from(formatHeapText(records, readMemStats(), { sampleInterval: 524288, header }));
}

/** Texts are sorted by what is in use. */
function sorted(samples: readonly Sample[]): Sample[] {
  const key = ({ values, stack }: Sample) => JSON.stringify([values, stack.map(({ address }) => address)]);
  return [...samples].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function framesOf(profile: ProfileData, withoutColumns: boolean) {
  return sorted(profile.samples).map(({ values, stack, numLabels }) => ({
    values,
    bytes: numLabels.bytes,
    stack: stack.map(({ functionName, fileName, lineNumber, columnNumber, address }) => ({
      functionName,
      fileName,
      lineNumber,
      address,
      ...(!withoutColumns && { columnNumber: columnNumber || undefined }),
    })),
  }));
}

for (const [what, records] of [
  ['none', []],
  ['one', [record({ allocObjects: 2, allocBytes: 32, inUseObjects: 1, inUseBytes: 16 })]],
  ['without a stack', [record({ allocObjects: 2, allocBytes: 32 }, [])]],
  [
    'recursive',
    [record({ allocObjects: 2, allocBytes: 32 }, [frame(), frame(), frame({ address: 5 }), frame()])],
  ],
  ['many', someRecords(400, 3)],
] as const) {
  t.test(`records: ${what}`, async (t) => {
    const written = profileFromRecords(records, options);

    const proto = parseProfile(gzipSync(encodeProto(written)));
    t.strictSame(framesOf(proto, false), framesOf(written, false), 'proto');
    t.strictSame(
      proto.samples.map(({ values }) => values),
      written.samples.map(({ values }) => values),
      'proto, in order',
    );
    t.equal(proto.period, 524288);
    t.equal(proto.timeNanos, 1.7e18);

    for (const header of ['heap', 'heap_v2'] as const) {
      const read = parseProfile(text(records, header));
      t.strictSame(framesOf(read, true), framesOf(written, true), header);
      t.equal(read.period, 524288);
      t.strictSame(read.sampleTypes, written.sampleTypes);
    }

    const raw = parseProfile(text(records), { scaling: 'none' });
    t.strictSame(
      sorted(raw.samples).map(({ values }) => values),
      sorted(
        written.samples.map((sample, i) => {
          const { allocObjects, allocBytes, inUseObjects, inUseBytes } = records[i]!;
          return {
            ...sample,
            values: [allocObjects, allocBytes, inUseObjects.call(records[i]), inUseBytes.call(records[i])],
          };
        }),
      ).map(({ values }) => values),
      'raw figures',
    );
  });
}

t.test('threads', async (t) => {
  const records = [0, 3, -1].map((thread) => record({ allocObjects: 1, allocBytes: 8, thread }));
  const { samples } = parseProfile(encodeProto(profileFromRecords(records, options)));
  t.strictSame(
    samples.map(({ labels }) => labels.thread),
    [['0'], ['3'], ['-1']],
  );
});

t.test('a real profile, in both formats', async (t) => {
  start({ sampleInterval: 65536 });
  const kept = Array.from({ length: 300_000 }, (_, i) => ({ i, text: `item ${i}` }));
  globalThis.gc?.();
  const records = readRecords(true);
  stop();
  t.ok(kept.length);
  t.ok(records.length > 3);
  const proto = parseProfile(encodeProto(profileFromRecords(records, options)));
  const read = parseProfile(text(records));
  t.strictSame(framesOf(read, true), framesOf(proto, true));
});

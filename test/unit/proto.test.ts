import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import t from 'tap';
import { formatHeapText } from '#dist/formats/gotext/encode.js';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { lookup, readMemStats, start, stop, writeHeapProfile } from '#dist/index.js';
import { type HeapProfileOptions, profileFromRecords } from '#dist/profile/heap-values.js';
import type { MemProfileRecord } from '#dist/profile/public-types.js';
import { goRaw, goTop, hasGo } from '../support/go-pprof.js';
import { frame, record, someRecords } from '../support/records.js';
import { needs } from '../support/tools.js';

const folder = t.testdir();
const needsGo = needs('go');

const options: HeapProfileOptions = {
  sampleInterval: 524288,
  defaultSampleType: 'inuse_space',
  timeNanos: 1_700_000_000_000_000_000,
  program: '/app/main.js',
};

function encode(records: readonly MemProfileRecord[], more: Partial<HeapProfileOptions> = {}): Buffer {
  return Buffer.from(encodeProto(profileFromRecords(records, { ...options, ...more })));
}

/** The same, as another implementation reads it. */
function decode(bytes: Uint8Array) {
  const profile = Profile.decode(bytes);
  const { strings } = profile.stringTable;
  const text = (index: number | bigint) => strings[Number(index)];
  return { profile, text, types: profile.sampleType.map(({ type, unit }) => [text(type), text(unit)]) };
}

/** `go tool pprof` merges samples of one stack and size, and leaves out those without any value. */
function merge(samples: { values: number[]; key: string }[]): [string, number[]][] {
  const merged = new Map<string, number[]>();
  for (const { key, values } of samples) {
    const sums = merged.get(key);
    if (values.some((value) => value !== 0)) {
      merged.set(key, sums === undefined ? values : sums.map((sum, i) => sum + values[i]!));
    }
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1));
}

class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

t.test('what a profile says of itself', async (t) => {
  const { profile, text, types } = decode(encode([]));
  t.strictSame(types, [
    ['alloc_objects', 'count'],
    ['alloc_space', 'bytes'],
    ['inuse_objects', 'count'],
    ['inuse_space', 'bytes'],
  ]);
  t.strictSame([text(profile.periodType!.type), text(profile.periodType!.unit)], ['space', 'bytes']);
  t.equal(profile.period, 524288);
  t.equal(Number(profile.timeNanos), 1_700_000_000_000_000_000);
  t.equal(profile.durationNanos, 0);
  t.equal(profile.defaultSampleType, 0);
  t.equal(profile.stringTable.strings[0], '');
  t.strictSame(profile.comment, []);
  t.match(profile.mapping, [{ id: 1, hasFunctions: true, hasFilenames: true, hasLineNumbers: true }]);

  const allocs = decode(encode([], { defaultSampleType: 'alloc_space' }));
  t.equal(allocs.text(allocs.profile.defaultSampleType), 'alloc_space');
});

t.test('values are scaled up once a record, as Go does', async (t) => {
  const values = (records: MemProfileRecord[], sampleInterval = 524288) =>
    decode(encode(records, { sampleInterval })).profile.sample.map(({ value }) => value.map(Number));
  // The figures of `heap_v2/524288` that go tool pprof makes of these: see the vectors.
  t.strictSame(
    values([
      record({ allocObjects: 10, allocBytes: 10240, inUseObjects: 10, inUseBytes: 10240 }),
      record({ allocObjects: 11, allocBytes: 352, inUseObjects: 1, inUseBytes: 32 }),
      record({ allocObjects: 100, allocBytes: 522912, inUseObjects: 2, inUseBytes: 320 }),
      record({ allocObjects: 20, allocBytes: 20480 }),
      record({ allocObjects: 0, allocBytes: 0 }),
    ]),
    [
      [5125, 5248001, 5125, 5248001],
      [180229, 5767344, 16384, 524304],
      [10076, 52690690, 6554, 1048736],
      [10250, 10496003, 0, 0],
      [0, 0, 0, 0],
    ],
  );
  t.strictSame(values([record({ allocObjects: 3, allocBytes: 100, inUseObjects: 1, inUseBytes: 40 })], 1), [
    [3, 100, 1, 40],
  ]);
  t.strictSame(
    values([
      record({ allocObjects: 0, allocBytes: 64 }),
      record({
        allocObjects: Number.NaN,
        allocBytes: Number.POSITIVE_INFINITY,
        inUseObjects: -1,
        inUseBytes: -8,
      }),
    ]),
    [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ],
  );
  t.strictSame(values([record({ allocObjects: 1, allocBytes: 1e300 })])[0]?.[1], 2 ** 64);
});

t.test('labels', async (t) => {
  const { profile, text } = decode(
    encode([
      record({ allocObjects: 4, allocBytes: 99, thread: 0 }),
      record({ allocObjects: 0, allocBytes: 0, thread: -1 }),
      record({ allocObjects: 1, allocBytes: 8 }),
    ]),
  );
  t.strictSame(
    profile.sample.map(({ label }) => label.map(({ key, str, num }) => [text(key), text(str), Number(num)])),
    [
      [
        ['thread', '0', 0],
        ['bytes', '', 24],
      ],
      [['thread', '-1', 0]],
      [['bytes', '', 8]],
    ],
  );
});

t.test('frames', async (t) => {
  const leaf = frame({ functionName: 'leaf', lineNumber: 30, columnNumber: 9, address: 0xffff_ffff_ffff });
  const twin = frame({ functionName: 'leaf', lineNumber: 40, address: 0x2000 });
  const root = frame({ fileName: 'node:fs' });
  const { profile, text } = decode(
    encode([
      record({ allocObjects: 1, allocBytes: 8 }, [leaf, leaf, root]),
      record({ allocObjects: 1, allocBytes: 8 }, [twin, root]),
      record({ allocObjects: 1, allocBytes: 8 }, []),
    ]),
  );
  const functions = new Map(profile.function.map((each) => [each.id, each]));
  const rows = new Map(
    profile.location.map(({ id, address, line, mappingId }) => {
      const { name, systemName, filename, startLine } = functions.get(line[0]!.functionId)!;
      t.equal(name, systemName);
      t.equal(mappingId, 0, 'a filter that matches the program must not match its every frame');
      return [
        id,
        [
          Number(address),
          text(name),
          text(filename),
          Number(line[0]!.line),
          Number(startLine),
          Number(line[0]!.column),
        ],
      ] as const;
    }),
  );
  t.strictSame(
    profile.sample.map(({ locationId }) => locationId.map((id) => rows.get(id))),
    [
      [
        [0xffff_ffff_ffff, 'leaf', '/app/main.js', 30, 30, 9],
        [0xffff_ffff_ffff, 'leaf', '/app/main.js', 30, 30, 9],
        [0x1000, 'work', 'node:fs', 7, 7, 3],
      ],
      [
        [0x2000, 'leaf', '/app/main.js', 40, 40, 3],
        [0x1000, 'work', 'node:fs', 7, 7, 3],
      ],
      [[0xffff_ffff_ffff, '(unknown)', '', 0, 0, 0]],
    ],
  );
  t.equal(profile.location.length, 4);
});

t.test('names of any kind', async (t) => {
  const names = ['a\nb', 'π', '\u{1f600}', '\u0000', 'x'.repeat(100_000), '__proto__'];
  const records = names.map((functionName, i) =>
    record({ allocObjects: 1, allocBytes: 8 }, [frame({ functionName, address: i })]),
  );
  const { profile, text } = decode(
    encode([...records, record({ allocObjects: 1, allocBytes: 8 }, [frame({ functionName: '\ud800' })])]),
  );
  t.strictSame(
    profile.function.map(({ name }) => text(name)),
    [...names, '\ufffd'],
  );
});

t.test('go tool pprof accepts it, and reads what was meant', needsGo, async (t) => {
  for (const [what, records] of [
    ['nothing', []],
    ['one', [record({ allocObjects: 1, allocBytes: 8, thread: 2 })]],
    ['no stack', [record({ allocObjects: 1, allocBytes: 8 }, [])]],
    ['many', someRecords(500)],
  ] as const) {
    const go = goRaw(folder, encode(records));
    const { samples } = profileFromRecords(records, options);
    const fromGo = go.samples.map(({ values, locations, labels }) => ({
      values,
      key: [...locations.map((id) => go.locations.get(id)?.address), labels.bytes].join(),
    }));
    const ours = samples.map(({ values, stack, numLabels }) => ({
      values,
      key: [...stack.map(({ address }) => address), numLabels.bytes].join(),
    }));
    t.strictSame(merge(fromGo), merge(ours), what);
    t.equal(fromGo.length, merge(ours).length);
    t.equal(go.period, 524288);
  }
  const allocs = goRaw(folder, encode([], { defaultSampleType: 'alloc_space' }));
  t.match(allocs.types, ['alloc_objects/count', 'alloc_space/bytes[dflt]']);
  t.match(goRaw(folder, encode([record({ allocObjects: 1, allocBytes: 8, thread: 2 })])).samples[0]?.labels, {
    bytes: '8',
    thread: '2',
  });
});

t.test("go tool pprof's top ten are the same of the text and of the proto", needsGo, async (t) => {
  const records = someRecords(800, 7);
  const text = Buffer.from(formatHeapText(records, readMemStats(), { sampleInterval: 524288 }));
  const proto = encode(records);
  for (const index of ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space']) {
    // A text has addresses, and no names as far as Go is concerned.
    const addresses = (rows: string[]) =>
      rows.map((row) => row.replace(/ ([0-9a-f]{16}).*$/, ' $1').replace(/ <unknown>.*$/, ''));
    const fromProto = addresses(goTop(folder, proto, index, '-addresses'));
    t.equal(fromProto.length, 10, index);
    t.strictSame(addresses(goTop(folder, text, index, '-addresses')), fromProto, index);
  }
});

t.test('a running profiler writes it', async (t) => {
  start({ sampleInterval: 128 });
  const kept = Array.from({ length: 20_000 }, (_, i) => ({ i, text: `item ${i}` }));
  globalThis.gc?.();
  const sinks = { heap: new Sink(), allocs: new Sink(), function: new Sink() };
  await lookup('heap').writeTo(sinks.heap, 0);
  await lookup('allocs').writeTo(sinks.allocs, 0);
  await writeHeapProfile(sinks.function);
  stop();
  t.ok(kept.length);
  for (const [name, { bytes }] of Object.entries(sinks)) {
    t.strictSame([...bytes.subarray(0, 3)], [0x1f, 0x8b, 8], name);
    const { profile, text } = decode(gunzipSync(bytes));
    t.ok(profile.sample.length > 5);
    t.equal(profile.period, 128);
    t.equal(text(profile.defaultSampleType), name === 'allocs' ? 'alloc_space' : '');
    t.ok(Math.abs(Number(profile.timeNanos) / 1e6 - Date.now()) < 60_000);
    if (hasGo) t.equal(goRaw(folder, bytes).samples.length, profile.sample.length);
  }
  const folded = new Sink();
  await lookup('heap').writeTo(folded, 0, { format: 'folded', sampleType: 'alloc_objects' });
  t.match(folded.bytes.toString(), /^(?:.*;)?.+ \d+\n/);
  const devTools = new Sink();
  await lookup('heap').writeTo(devTools, 0, { format: 'heapprofile' });
  t.match(JSON.parse(devTools.bytes.toString()), { head: { callFrame: { functionName: '(root)' } } });
  for (const bad of [{ format: 'svg' }, { sampleType: 'space' }, { sourceMaps: 1 }, { header: 'x' }]) {
    await t.rejects(lookup('heap').writeTo(new Sink(), 0, bad as never), { code: /^ERR_MEMPROF_/ });
  }
  const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk full')) });
  await t.rejects(lookup('heap').writeTo(failing, 0), { message: 'disk full' });
});

t.test('frames of this file are mapped to their source, unless switched off', async (t) => {
  const file = join(folder, 'built.js');
  const { writeFileSync } = await import('node:fs');
  const map = { version: 3, sources: ['source.ts'], names: [], mappings: 'AAIA' };
  const data = Buffer.from(JSON.stringify(map)).toString('base64');
  writeFileSync(
    file,
    `module.exports = function fill() { const all = []; for (let i = 0; i < 1e5; i++) all.push({ i }); return all; };
//# sourceMappingURL=data:application/json;base64,${data}`,
  );
  start({ sampleInterval: 1024, reset: true });
  const kept = require(file)();
  globalThis.gc?.();
  const [on, off] = [new Sink(), new Sink()];
  await lookup('heap').writeTo(off, 0, { sourceMaps: false });
  await lookup('heap').writeTo(on, 0);
  const text = new Sink();
  await lookup('heap').writeTo(text, 1);
  stop();
  t.equal(kept.length, 1e5);
  t.match(gunzipSync(on.bytes).toString('latin1'), 'source.ts');
  t.match(text.bytes.toString(), /\tfill\+0x0\t+\S*source\.ts:5\n/);
  t.notMatch(gunzipSync(off.bytes).toString('latin1'), 'source.ts');
});

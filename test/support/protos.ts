// Protos with everything in them, from a seed.
import {
  FUNCTION,
  LABEL,
  LINE,
  LOCATION,
  MAPPING,
  PROFILE,
  SAMPLE,
  VALUE_TYPE,
} from '#dist/formats/pprof/fields.js';
import { WireWriter } from '#dist/formats/pprof/wire-writer.js';

export type Field = number | bigint | Uint8Array | readonly (number | bigint)[];

/** A message of fields; several of a number in the order of the list, a list of integers packed. */
export function message(fields: readonly (readonly [number, Field])[]): Uint8Array {
  const out = new WireWriter();
  for (const [field, value] of fields) {
    if (typeof value === 'number' || typeof value === 'bigint') out.integerField(field, value);
    else if (value instanceof Uint8Array) out.bytesField(field, value);
    else {
      const packed = new WireWriter();
      for (const each of value) packed.integer(each);
      out.bytesField(field, packed.written());
    }
  }
  return out.written().slice();
}

export function randomProto(random: () => number): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const chance = (share: number) => random() < share;
  const strings = new Map([['', 0]]);
  const text = (value: string) => {
    const id = strings.get(value) ?? strings.size;
    strings.set(value, id);
    return id;
  };
  const times = <T>(count: number, make: (at: number) => T): T[] =>
    Array.from({ length: count }, (_, at) => make(at));
  const big = () => pick([2n ** 53n + 1n, 2n ** 62n + 3n, -(2n ** 55n) - 1n, 2n ** 63n - 1n, 12n, 0n]);
  const kernel = () => 0xffff_ffff_8000_0000n + BigInt(below(1 << 20));
  const name = () =>
    pick([
      'main.main',
      'a b',
      'std::vector<int>::push_back(int const&)',
      'operator()',
      '(anonymous x.js:3)',
      'x<y>',
      '',
    ]);

  const mappingCount = below(4);
  const mappingIds = times(mappingCount, (at) => (chance(0.2) ? 2n ** 60n + BigInt(at) : BigInt(at * 3 + 1)));
  const functionCount = below(9);
  const functionIds = times(functionCount, (at) =>
    chance(0.1) ? 2n ** 64n - 1n - BigInt(at) : BigInt(at + 1),
  );
  const locationCount = 1 + below(12);
  const locationIds = times(locationCount, (at) =>
    chance(0.1) ? 2n ** 63n + BigInt(at) : BigInt(at * 2 + 1),
  );
  const typeCount = 1 + below(4);
  const types = times(
    typeCount,
    (at) => pick(['alloc_space', 'inuse_space', 'cpu', 'samples', '']) + (at === 0 ? '' : at),
  );
  const valueType = (type: string, unit: string) =>
    message([
      [VALUE_TYPE.type, text(type)],
      [VALUE_TYPE.unit, text(unit)],
    ]);
  const label = () =>
    message(
      chance(0.5)
        ? [
            [LABEL.key, text(pick(['thread', 'kind', 'π']))],
            [LABEL.text, text(pick(['main', 'a b', '7', '']))],
          ]
        : [
            [LABEL.key, text(pick(['bytes', 'latency', 'request']))],
            [LABEL.number, pick([0n, 5n, 4096n, big()])],
            [LABEL.unit, text(pick(['', '', 'bytes', 'milliseconds']))],
          ],
    );
  const fields: [number, Field][] = [
    ...types.map((type): [number, Field] => [
      PROFILE.sampleType,
      valueType(type, pick(['bytes', 'count', 'nanoseconds', 'widgets', ''])),
    ]),
    [PROFILE.periodType, valueType(pick(['space', 'cpu', '']), pick(['bytes', '']))],
    [PROFILE.period, pick([0n, 1n, 524_288n, 2n ** 54n + 1n])],
    [PROFILE.timeNanos, pick([0n, 1_700_000_000_123_456_789n, -5n])],
    [PROFILE.durationNanos, pick([0n, 1n, 30_000_000_001n, 3_600_000_000_000n])],
    ...times(below(3), (): [number, Field] => [PROFILE.comment, text(pick(['one', '# two', 'three four']))]),
    [PROFILE.dropFrames, text(pick(['', '', 'runtime\\..*', 'main.*']))],
    [PROFILE.keepFrames, text(pick(['', 'runtime\\.keep']))],
    [PROFILE.docUrl, text(pick(['', 'https://example.com/x']))],
    [PROFILE.defaultSampleType, text(pick(['', types[0]!, types.at(-1)!, 'no such type']))],
    ...mappingIds.map((id, at): [number, Field] => [
      PROFILE.mapping,
      message([
        [MAPPING.id, id],
        [MAPPING.start, at === 2 ? kernel() : 0x400000 + at * 0x100000],
        [MAPPING.limit, at === 2 ? 2n ** 64n - 1n : 0x500000 + at * 0x100000 - below(3)],
        [MAPPING.offset, pick([0, 0x1000])],
        [MAPPING.file, text(pick(['/bin/nothing-here', '', '[vdso]', '/lib/none.so']))],
        [MAPPING.buildId, text(pick(['', 'abcdef']))],
        [MAPPING.hasFunctions, below(2)],
        [MAPPING.hasFilenames, below(2)],
        [MAPPING.hasLineNumbers, below(2)],
        [MAPPING.hasInlineFrames, below(2)],
      ]),
    ]),
    ...functionIds.map((id): [number, Field] => [
      PROFILE.function,
      message([
        [FUNCTION.id, id],
        [FUNCTION.name, text(name())],
        [FUNCTION.systemName, text(pick([name(), '_mangled', '']))],
        [FUNCTION.file, text(pick(['/src/a.go', 'b.js', '', '/proc/self/cwd/c.cc']))],
        [FUNCTION.startLine, pick([0, 3, 77])],
      ]),
    ]),
    ...locationIds.map((id): [number, Field] => [
      PROFILE.location,
      message([
        [LOCATION.id, id],
        [LOCATION.mappingId, mappingCount > 0 && chance(0.8) ? pick(mappingIds) : 0],
        [LOCATION.address, pick([0n, BigInt(0x400000 + below(0x300000)), kernel()])],
        ...times(functionCount === 0 ? 0 : below(4), (): [number, Field] => [
          LOCATION.line,
          message([
            [LINE.functionId, pick(functionIds)],
            [LINE.line, below(200)],
          ]),
        ]),
        [LOCATION.isFolded, Number(chance(0.2))],
      ]),
    ]),
    ...times(below(10), (): [number, Field] => [
      PROFILE.sample,
      message([
        [SAMPLE.locationIds, times(below(8), () => pick(locationIds))],
        [SAMPLE.values, times(typeCount, () => pick([BigInt(below(1000)), 0n, -7n, big()]))],
        ...times(below(4), (): [number, Field] => [SAMPLE.label, label()]),
      ]),
    ]),
  ];
  const all = fields.concat([...strings.keys()].map((each) => [PROFILE.string, Buffer.from(each)]));
  return Buffer.from(message(all));
}

import { gzipSync } from 'node:zlib';
import {
  Function as Fn,
  Label,
  Line,
  Location,
  Mapping,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import t from 'tap';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { parseProfile } from '#dist/formats/readers.js';
import { goRaw, hasGo } from '../support/go-pprof.js';

/** A profile as another implementation writes it. */
function build(change: (profile: Profile, strings: StringTable) => void = () => {}): Buffer {
  const strings = new StringTable();
  const type = (name: string, unit: string) =>
    new ValueType({ type: strings.dedup(name), unit: strings.dedup(unit) });
  const profile = new Profile({
    sampleType: [type('inuse_objects', 'count'), type('inuse_space', 'bytes')],
    periodType: type('space', 'bytes'),
    period: 1024,
    timeNanos: 1_700_000_000_000_000_000n,
    durationNanos: 5e9,
    comment: [strings.dedup('first'), strings.dedup('second')],
    dropFrames: strings.dedup('runtime[.].*'),
    keepFrames: strings.dedup('runtime[.]main'),
    mapping: [
      new Mapping({
        id: 1,
        memoryStart: 0x400000,
        memoryLimit: 0x500000,
        fileOffset: 0x1000,
        filename: strings.dedup('/usr/bin/app'),
        buildId: strings.dedup('abc'),
      }),
    ],
    function: [
      new Fn({ id: 7, name: strings.dedup('inner'), filename: strings.dedup('/app/a.go'), startLine: 3 }),
      new Fn({ id: 9, systemName: strings.dedup('outer') }),
    ],
    location: [
      new Location({
        id: 3,
        mappingId: 1,
        address: 0x401000,
        line: [new Line({ functionId: 7, line: 5, column: 2 }), new Line({ functionId: 9 })],
      }),
      new Location({ id: 2n ** 40n, address: 0x7fff_ffff_ffff }),
    ],
    sample: [
      new Sample({
        locationId: [3, 2n ** 40n, 3],
        value: [2, -512],
        label: [
          new Label({ key: strings.dedup('bytes'), num: 256 }),
          new Label({ key: strings.dedup('bytes'), num: 512 }),
          new Label({ key: strings.dedup('thread'), str: strings.dedup('main') }),
          new Label({ key: strings.dedup('nothing') }),
        ],
      }),
      new Sample({ value: [0, 2 ** 62] }),
    ],
    stringTable: strings,
  });
  change(profile, strings);
  return Buffer.from(profile.encode());
}

const mapping = {
  start: 0x400000,
  limit: 0x500000,
  offset: 0x1000,
  fileName: '/usr/bin/app',
  buildId: 'abc',
  known: { functions: false, fileNames: false, lineNumbers: false, inlinedCalls: false },
};
const inner = {
  functionName: 'inner',
  fileName: '/app/a.go',
  lineNumber: 5,
  columnNumber: 2,
  systemName: '',
  startLine: 3,
  address: 0x401000,
  mapping,
  inlined: true,
};
const outer = {
  functionName: 'outer',
  fileName: '',
  lineNumber: 0,
  startLine: 0,
  address: 0x401000,
  mapping,
  unnamed: true,
};
const unnamed = { functionName: '', fileName: '', lineNumber: 0, address: 0x7fff_ffff_ffff };

for (const [what, bytes] of [
  ['plain', build()],
  ['gzipped', gzipSync(build())],
  [
    'gzipped in two parts',
    Buffer.concat([gzipSync(build().subarray(0, 50)), gzipSync(build().subarray(50))]),
  ],
] as const) {
  t.test(`reads every field, ${what}`, async (t) => {
    const { samples, ...rest } = parseProfile(bytes);
    t.strictSame(rest, {
      format: 'proto',
      sampleTypes: [
        { type: 'inuse_objects', unit: 'count' },
        { type: 'inuse_space', unit: 'bytes' },
      ],
      defaultSampleType: 'inuse_space',
      periodType: { type: 'space', unit: 'bytes' },
      period: 1024,
      timeNanos: 1_700_000_000_000_000_000,
      durationNanos: 5e9,
      comments: ['first', 'second'],
      dropFrames: 'runtime[.].*',
      keepFrames: 'runtime[.]main',
      mappings: [mapping],
    });
    t.strictSame(
      samples.map(({ values, stack }) => ({ values, stack })),
      [
        { values: [2, -512], stack: [inner, outer, unnamed, inner, outer] },
        { values: [0, 2 ** 62], stack: [] },
      ],
    );
    t.equal(samples[0]!.stack[0], samples[0]!.stack[3], 'frames are shared');
    t.strictSame(Object.entries(samples[0]!.labels), [['thread', ['main']]]);
    t.strictSame(Object.entries(samples[0]!.numLabels), [['bytes', [256, 512]]]);
    t.strictSame(Object.entries(samples[1]!.labels), []);
  });
}

t.test('a Uint8Array that is a part of another', async (t) => {
  const padded = Buffer.concat([Buffer.from('padding'), build(), Buffer.from('padding')]);
  const part = new Uint8Array(padded.buffer, padded.byteOffset + 7, padded.length - 14);
  t.equal(parseProfile(part).samples.length, 2);
});

t.test('the default type', async (t) => {
  const named = (name: string) =>
    parseProfile(
      build((profile, strings) => Object.assign(profile, { defaultSampleType: strings.dedup(name) })),
    ).defaultSampleType;
  t.equal(named('inuse_objects'), 'inuse_objects');
  t.equal(named('no such type'), 'inuse_space');
});

t.test('repeated integers that are not packed, and unknown fields', async (t) => {
  const strings = ['', 'n', 'count'].map((text) => Buffer.from([0x32, text.length, ...Buffer.from(text)]));
  const bytes = Buffer.concat([
    Buffer.from([0x0a, 4, 0x08, 1, 0x10, 2]),
    Buffer.from([0x22, 4, 0x08, 1, 0x18, 16]),
    // A sample with location 1 twice and a value, with a field of every wire type that nobody knows.
    Buffer.from([0x12, 0x0a, 0x08, 1, 0x08, 1, 0x10, 42, 0x7a, 2, 1, 2]),
    Buffer.from([0xa1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xad, 1, 0, 0, 0, 0, 0xb0, 1, 5]),
    ...strings,
  ]);
  const { samples } = parseProfile(bytes);
  t.strictSame(samples[0]?.values, [42]);
  t.strictSame(
    samples[0]?.stack.map(({ address }) => address),
    [16, 16],
  );
});

t.test('a label called __proto__ is one like any other', async (t) => {
  const [first] = parseProfile(
    build((profile, strings) => {
      profile.sample[0]!.label.push(new Label({ key: strings.dedup('__proto__'), str: strings.dedup('x') }));
    }),
  ).samples;
  t.strictSame(Object.keys(first!.labels), ['thread', '__proto__']);
  t.equal(({} as Record<string, unknown>)[0], undefined);
});

type Change = (profile: Profile, strings: StringTable) => void;

const malformed: [what: string, change: Change, message: RegExp][] = [
  [
    'no types',
    (profile) => Object.assign(profile, { sampleType: [] }),
    /expected 0 values a sample, found more$/,
  ],
  ['too few values', (profile) => profile.sample[0]!.value.pop(), /expected 2 values a sample, found 1$/],
  [
    'too many values',
    (profile) => profile.sample[0]!.value.push(1),
    /expected 2 values a sample, found more$/,
  ],
  [
    'a location that is not there',
    (profile) => profile.sample[0]!.locationId.push(5),
    /refers to location 5, which/,
  ],
  ['location 0', (profile) => profile.sample[0]!.locationId.push(0), /refers to location 0, which/],
  [
    'a location without id',
    (profile) => Object.assign(profile.location[0]!, { id: 0 }),
    /a location has no id$/,
  ],
  [
    'two locations of an id',
    (profile) => Object.assign(profile.location[1]!, { id: 3 }),
    /two locations have the id 3$/,
  ],
  [
    'two functions of an id',
    (profile) => Object.assign(profile.function[1]!, { id: 7 }),
    /two functions have the id 7$/,
  ],
  [
    'a function that is not there',
    (profile) => profile.location[0]!.line.push(new Line({ functionId: 8 })),
    /location 3 refers to function 8, which there is not$/,
  ],
  [
    'a text that is not there',
    (profile) => Object.assign(profile.function[0]!, { name: 99 }),
    /refers to text 99, but has \d+$/,
  ],
  [
    'a text before the first',
    (profile) => Object.assign(profile.function[0]!, { name: -1 }),
    /refers to text -1, but has/,
  ],
  [
    'no texts',
    (profile) => Object.assign(profile, { stringTable: new StringTable([] as never) }),
    /^not a valid proto/,
  ],
];

for (const [what, change, message] of malformed) {
  t.test(`refuses ${what}`, async (t) => {
    const bytes = build(change);
    t.throws(() => parseProfile(bytes), { code: 'ERR_MEMPROF_PROFILE', message });
    if (hasGo) t.throws(() => goRaw(t.testdir(), bytes), 'as Go does');
  });
}

t.test('refuses bytes that are no proto', async (t) => {
  for (const [bytes, message] of [
    [[0x0a], /^not a valid proto: expected the rest of an integer at byte 1, found the end$/],
    [[0x0a, 5, 1], /^not a valid proto: expected 5 more bytes at byte 2, found the end after 1$/],
    [
      [0x0b],
      /^not a valid proto: expected a field of wire type 0, 1, 2 or 5 at byte 1, found one of type 3$/,
    ],
    [
      Array(12).fill(0xff),
      /^not a valid proto: expected an integer of at most 10 bytes at byte 10, found a longer one$/,
    ],
    [[0x08, 1], /^not a valid proto: expected a message or text in field 1 at byte 2, found wire type 0$/],
    [[0x4a, 1, 1], /^not a valid proto: expected an integer in field 9 at byte 3, found wire type 2$/],
    [[0x48, 1, 0x48, 2], /^expected one profile, found several one after the other$/],
    [[0x60, 1], /^not a valid proto: expected '' as the first of its texts$/],
  ] as const) {
    t.throws(() => parseProfile(Uint8Array.from(bytes)), { code: 'ERR_MEMPROF_PROFILE', message });
  }
  const whole = build();
  t.throws(() => parseProfile(Buffer.concat([whole, whole])), { message: /several one after the other/ });
});

t.test('gzip that cannot be unpacked', async (t) => {
  const packed = gzipSync(build());
  t.throws(() => parseProfile(packed.subarray(0, 40)), {
    code: 'ERR_MEMPROF_PROFILE',
    message: 'the profile cannot be unpacked: unexpected end of file',
  });
  const wrong = Buffer.from(packed);
  wrong[packed.length - 6]! ^= 1;
  t.throws(() => parseProfile(wrong), { message: 'the profile cannot be unpacked: incorrect data check' });
  t.throws(() => parseProfile(gzipSync(Buffer.alloc(5000)), { maxBytes: 4000 }), {
    code: 'ERR_MEMPROF_PROFILE',
    message: 'the profile has more than 4000 bytes when unpacked',
  });
});

t.test('what is read can be written again', async (t) => {
  const profile = parseProfile(build());
  const again = parseProfile(encodeProto(profile));
  // Frames inlined into one location become locations of their own.
  t.strictSame(again, profile);
  if (hasGo) t.doesNotThrow(() => goRaw(t.testdir(), encodeProto(profile)));
});

t.test('hazard: integers of 64 bits, units, mappings and inlined calls are lost on the way', async (t) => {
  const big = 2n ** 63n - 1n;
  const kernel = 0xffff_ffff_8100_0001n;
  const bytes = build((profile, strings) => {
    profile.timeNanos = 1_700_000_000_123_456_789n;
    profile.mapping.push(
      new Mapping({
        id: 2n ** 64n - 1n,
        memoryStart: 0xffff_ffff_8000_0001n,
        memoryLimit: 2n ** 64n - 1n,
        filename: strings.dedup('[kernel]'),
      }),
    );
    // Ids that are the same number when they are rounded.
    profile.location.push(
      new Location({
        id: 2n ** 64n - 1n,
        mappingId: 2n ** 64n - 1n,
        address: kernel,
        line: [new Line({ functionId: 7 })],
      }),
      new Location({
        id: 2n ** 64n - 2n,
        mappingId: 2n ** 64n - 1n,
        address: kernel + 1n,
        line: [new Line({ functionId: 7 })],
      }),
    );
    profile.sample.push(
      new Sample({
        locationId: [2n ** 64n - 1n, 3, 2n ** 64n - 2n],
        value: [7, big],
        label: [
          new Label({ key: strings.dedup('span'), num: 1 }),
          new Label({ key: strings.dedup('span'), num: big }),
          new Label({ key: strings.dedup('latency'), num: 0, numUnit: strings.dedup('ms') }),
          new Label({ key: strings.dedup('latency'), num: 5 }),
        ],
      }),
    );
  });
  const first = parseProfile(bytes);
  const again = parseProfile(encodeProto(first));
  t.strictSame(again, first, 'what was read is written');
  for (const profile of [first, again]) {
    t.equal(profile.exactTimeNanos, 1_700_000_000_123_456_789n);
    const [usual, , sample] = profile.samples;
    t.strictSame(sample!.values, [7, Number(big)]);
    t.strictSame(sample!.exactValues, [7n, big]);
    t.strictSame(Object.entries(sample!.numLabels), [
      ['span', [1, Number(big)]],
      ['latency', [0, 5]],
    ]);
    t.strictSame(Object.entries(sample!.exactNumLabels!), [['span', [1n, big]]]);
    t.strictSame(Object.entries(sample!.numUnits!), [['latency', ['ms', '']]]);
    t.strictSame(
      sample!.stack.map(({ exactAddress, inlined, mapping }) => [exactAddress, inlined, mapping?.fileName]),
      [
        [kernel, undefined, '[kernel]'],
        [undefined, true, '/usr/bin/app'],
        [undefined, undefined, '/usr/bin/app'],
        [kernel + 1n, undefined, '[kernel]'],
      ],
    );
    t.equal(sample!.stack[0]!.mapping, profile.mappings[1], 'a mapping is one object');
    t.strictSame(profile.mappings[1]!.exact, {
      start: 0xffff_ffff_8000_0001n,
      limit: 2n ** 64n - 1n,
      offset: 0n,
    });
    t.notOk(
      'exactValues' in usual! || 'exactNumLabels' in usual! || 'numUnits' in usual!,
      'only where needed',
    );
  }
  const pprof = Profile.decode(encodeProto(first));
  t.strictSame(
    pprof.location.map(({ mappingId, line }) => [Number(mappingId), line.length]),
    [
      [1, 2],
      [0, 0],
      [2, 1],
      [2, 1],
    ],
    'an inlined call is a line of the same location',
  );
  first.samples[2]!.values[1] = 5;
  t.equal(parseProfile(encodeProto(first)).samples[2]!.values[1], 5, 'a value that was changed is written');
});

// A child of mutated-inputs.test.ts: parses inputs made from a seed and tells what became of them, as JSON.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { WireWriter } from '#dist/formats/pprof/wire-writer.js';
import { parseProfile } from '#dist/formats/readers.js';
import { profileFromRecords } from '#dist/profile/heap-values.js';
import type { ParseOptions } from '#dist/profile/model.js';
import { seededRandom, someRecords } from './records.js';
import { fixtures } from './run.js';

export interface Outcome {
  name: string;
  /** Samples of a profile that was read, else the message of the error. */
  samples?: number;
  message?: string;
  milliseconds: number;
}

export interface Report {
  outcomes: Outcome[];
  maxRssMiB: number;
}

const MIB = 1024 * 1024;
const random = seededRandom(20120206);
const below = (limit: number) => Math.floor(random() * limit);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

function seeds(): [name: string, bytes: Buffer][] {
  const vectors: Record<string, { input: string }> = JSON.parse(
    readFileSync(join(fixtures, 'vectors', 'expected.json'), 'utf8'),
  );
  const options = { sampleInterval: 1024, defaultSampleType: 'inuse_space', timeNanos: 1, program: 'x' };
  const proto = Buffer.from(encodeProto(profileFromRecords(someRecords(60), options)));
  return [
    ...Object.entries(vectors).map(([name, { input }]): [string, Buffer] => [name, Buffer.from(input)]),
    ['golden text', readFileSync(join(fixtures, 'golden', 'go-heap-rate1024.txt'))],
    [
      'jeprof',
      Buffer.from(
        'heap_v2/524288\n  t*: 1: 8 [2: 16]\n@ 0x11 0x21\n  t*: 1: 8 [2: 16]\n  t0: 1: 8 [2: 16]\n',
      ),
    ],
    ['proto', proto],
    ['proto again', proto],
    ['gzip', gzipSync(proto)],
  ];
}

const mutations: Record<string, (bytes: Buffer) => Buffer> = {
  truncated: (bytes) => bytes.subarray(0, below(bytes.length)),
  flipped: (bytes) => {
    for (let i = below(20); i >= 0; i--) bytes[below(bytes.length)]! ^= 1 << below(8);
    return bytes;
  },
  overwritten: (bytes) => {
    for (let i = below(10); i >= 0; i--) bytes[below(bytes.length)] = pick([0, 0x7f, 0x80, 0xff, 0x0a, 0x30]);
    return bytes;
  },
  repeated: (bytes) => {
    const [start, count] = [below(bytes.length), below(200)];
    const part = bytes.subarray(start, start + count);
    return Buffer.concat([
      bytes.subarray(0, start),
      ...Array(2 + below(50)).fill(part),
      bytes.subarray(start),
    ]);
  },
  cutOut: (bytes) => {
    const start = below(bytes.length);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + below(50))]);
  },
  hugeCounts: (bytes) =>
    Buffer.from(
      bytes
        .toString('latin1')
        .replace(/\d+/g, (digits) => (below(8) === 0 ? '9'.repeat(1 + below(400)) : digits)),
      'latin1',
    ),
  nested: (bytes) => {
    const start = below(bytes.length);
    const depth = 1000 + below(20_000);
    return Buffer.concat([
      bytes.subarray(0, start),
      Buffer.alloc(depth, pick([0x12, 0x22, 0x5b])),
      bytes.subarray(start),
    ]);
  },
  shuffled: (bytes) => {
    const lines = bytes.toString('latin1').split('\n');
    return Buffer.from(lines.sort(() => random() - 0.5).join('\n'), 'latin1');
  },
  insideGzip: (bytes) => {
    const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
    plain[below(plain.length)]! ^= 1 << below(8);
    return gzipSync(plain, { level: 1 });
  },
};

function* mutated(count: number): Generator<[name: string, bytes: Buffer, options: ParseOptions]> {
  const originals = seeds();
  const kinds = Object.entries(mutations);
  for (let i = 0; i < count; i++) {
    const [name, original] = pick(originals);
    const [kind, mutate] = kinds[i % kinds.length]!;
    const scaling = pick(['go', 'go', 'perl', 'none'] as const);
    yield [`${i}: ${name}, ${kind}, ${scaling}`, mutate(Buffer.from(original)), { scaling }];
  }
}

/** A message of protobuf fields, written by a function. */
function message(write: (out: WireWriter) => void): Uint8Array {
  const out = new WireWriter();
  write(out);
  return out.written();
}

/** A proto with one type of values; `write` adds what it likes. */
function proto(write: (out: WireWriter) => void): Buffer {
  const out = new WireWriter(MIB);
  out.bytesField(1, Buffer.from([0x08, 1, 0x10, 1]));
  for (const text of ['', 'space']) out.stringField(6, text);
  write(out);
  return Buffer.from(out.written());
}

const LINE = 'heap profile: 1: 8 [2: 16] @ heap/1048576\n';
const idMessage = (id: number) => message((out) => out.integerField(1, id));

const big: Record<string, () => [Buffer, ParseOptions?]> = {
  '100 MB of garbage lines': () => [Buffer.alloc(100 * MIB, 'this line is garbage\n')],
  '100 MB of garbage lines after a header': () => [
    Buffer.alloc(100 * MIB, `${LINE}${'garbage\n'.repeat(5000)}`),
  ],
  '100 MB of garbage lines, as Perl': () => [
    Buffer.alloc(100 * MIB, `${LINE}${'garbage\n'.repeat(5000)}`),
    { scaling: 'perl' },
  ],
  '100 MB of comments': () => [
    Buffer.concat([Buffer.from(LINE), Buffer.alloc(100 * MIB, '#\t0x1\tf+0x0\tx:1\n')]),
  ],
  '100 MB in one line': () => [Buffer.concat([Buffer.from(LINE), Buffer.alloc(100 * MIB, '1')])],
  '100 MB of nothing': () => [Buffer.alloc(100 * MIB)],
  '100 MB of 0xff': () => [Buffer.alloc(100 * MIB, 0xff)],
  'lines that a careless search takes long for': () => [
    Buffer.from(`${LINE}${`${'1: '.repeat(21_000)}\n`.repeat(50)}`),
    { scaling: 'perl' },
  ],
  'a line of digits': () => [Buffer.from(`${LINE}${'1'.repeat(65_000)}\n`)],
  'a line of spaces': () => [Buffer.from(`${LINE}1:${' '.repeat(65_000)}x\n`)],
  'a gzip bomb of 1 GiB': () => [gzipSync(Buffer.alloc(1024 * MIB - 1), { level: 1 })],
  'a gzip bomb in a gzip bomb': () => [gzipSync(gzipSync(Buffer.alloc(512 * MIB), { level: 1 }))],
  'stacks of 18 million frames': () => [
    Buffer.from(`${LINE}${`1: 8 [2: 16] @${' 0x1234567'.repeat(6000)}\n`.repeat(3000)}`),
  ],
  '2 million records': () => [Buffer.from(`${LINE}${'1: 8 [2: 16] @ 0x1\n'.repeat(2e6)}`)],
  'a million records with addresses of their own': () => [
    Buffer.from(
      `${LINE}${Array.from({ length: 1e6 }, (_, i) => `1: ${i + 1} [2: 16] @ 0x${i.toString(16)}`).join('\n')}`,
    ),
  ],
  '2 million samples of two bytes': () => [
    proto((out) => {
      for (let i = 0; i < 2e6; i++) out.bytesField(2, new Uint8Array(0));
    }),
  ],
  'a location of a million lines, in many samples': () => [
    proto((out) => {
      out.bytesField(5, idMessage(1));
      const line = idMessage(1);
      out.bytesField(
        4,
        message((location) => {
          location.integerField(1, 1);
          for (let i = 0; i < 60_000; i++) location.bytesField(4, line);
        }),
      );
      const sample = message((each) => {
        each.bytesField(1, Buffer.from([1]));
        each.bytesField(2, Buffer.from([1]));
      });
      for (let i = 0; i < 100_000; i++) out.bytesField(2, sample);
    }),
  ],
  'as much of everything as is allowed': () => [
    proto((out) => {
      const count = 2 ** 20;
      for (let i = 2; i < 2 ** 21; i++) out.stringField(6, `s${i}`);
      for (let i = 1; i <= count; i++) {
        out.bytesField(
          5,
          message((each) => {
            each.integerField(1, i);
            each.integerField(2, i);
            each.integerField(4, i + count - 1);
          }),
        );
        out.bytesField(
          4,
          message((each) => {
            each.integerField(1, i);
            each.integerField(3, i * 1e6);
            each.bytesField(
              4,
              message((line) => {
                line.integerField(1, i);
                line.integerField(2, i);
              }),
            );
          }),
        );
      }
      const ids = new WireWriter();
      for (let i = 0; i < count; i++) {
        ids.reset();
        for (let depth = 0; depth < 14; depth++) ids.integer(1 + ((i + depth) % count));
        out.bytesField(
          2,
          message((each) => {
            each.bytesField(1, ids.written());
            each.bytesField(2, Buffer.from([1]));
            each.bytesField(
              3,
              message((label) => {
                label.integerField(1, 1);
                label.integerField(3, i + 1);
              }),
            );
          }),
        );
      }
    }),
  ],
};

function outcomeOf(name: string, bytes: Buffer, options?: ParseOptions): Outcome {
  const start = process.cpuUsage();
  // Of the processor: the machine may be busy.
  const spent = () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
  try {
    const { samples, sampleTypes } = parseProfile(bytes, options);
    const milliseconds = spent();
    const isValid = samples.every(
      ({ values, stack }) =>
        values.length === sampleTypes.length && !values.some(Number.isNaN) && Array.isArray(stack),
    );
    if (!isValid) throw new Error(`${name}: the profile is not valid`);
    return { name, samples: samples.length, milliseconds };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MEMPROF_PROFILE') throw error;
    return { name, message, milliseconds: spent() };
  }
}

const [what, count] = process.argv.slice(2);
const outcomes =
  what === 'mutated'
    ? Array.from(mutated(Number(count)), (each) => outcomeOf(...each))
    : Object.entries(big).map(([name, make]) => outcomeOf(name, ...make()));
process.stdout.write(
  JSON.stringify({ outcomes, maxRssMiB: Math.round(process.resourceUsage().maxRSS / 1024) } satisfies Report),
);

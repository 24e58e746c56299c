import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseProfile } from '#dist/formats/readers.js';
import type { ParseOptions, ProfileData } from '#dist/profile/model.js';
import { fixtures } from '../support/run.js';

interface GoExpected {
  error?: string;
  samples: { values: number[]; addresses: string[]; bytes: number }[];
  sampleTypes: string[];
  mappings: string[];
  periodType: string;
  period: number;
}

interface PerlExpected {
  rc: number;
  error?: string;
  total: string;
  rows: { flat: number; cum: number; name: string }[];
}

type PerlTool = 'google-pprof' | 'jeprof' | 'go-2012-pprof';
type Mode = 'alloc_objects' | 'alloc_space' | 'inuse_objects' | 'inuse_space';

interface Vector {
  input: string;
  go_pprof: GoExpected;
  perl: Record<PerlTool, Record<Mode, PerlExpected>>;
}

const folder = join(fixtures, 'vectors');
const vectors: Record<string, Vector> = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
const MODES: Mode[] = ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space'];

function parse(text: string, scaling?: ParseOptions['scaling']): ProfileData {
  return parseProfile(Buffer.from(text), scaling === undefined ? {} : { scaling });
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

/** As `go tool pprof -raw` has it. */
function mappingText(
  { start, limit, offset, fileName, buildId }: ProfileData['mappings'][number],
  i: number,
) {
  const end = limit === 2 ** 64 ? '0xffffffffffffffff' : hex(limit);
  const flags = 'func=false file=false line=false inl=false';
  return `mapping id=${i + 1} ${hex(start)}-${end} off=${hex(offset)} file="${fileName}" build="${buildId}" ${flags}`;
}

/** What a Perl tool that does not divide by zero says; undefined if all refuse the file. */
function perlExpected({ perl }: Vector, mode: Mode): PerlExpected | undefined {
  const read = (['google-pprof', 'jeprof', 'go-2012-pprof'] as const).filter(
    (tool) => perl[tool][mode].rc === 0,
  );
  return read[0] === undefined ? undefined : perl[read[0]][mode];
}

/** The tools' names of a frame: a function without what is in parentheses or brackets, else its address. */
function perlName({ functionName, address }: { functionName: string; address: number }): string {
  return functionName.replace(/\([^()]*\)|<[^<>]*>/g, '').trim() || hex(address);
}

for (const [name, vector] of Object.entries(vectors)) {
  const bytes = readFileSync(join(folder, name));

  t.test(`${name} as Go reads it`, async (t) => {
    t.equal(bytes.toString(), vector.input);
    const expected = vector.go_pprof;
    if (vector.input.startsWith('--- symbol')) {
      t.ok(expected.error, 'Go has no reader for symbol sections');
      t.strictSame(
        parseProfile(bytes),
        parseProfile(bytes, { scaling: 'perl' }),
        'so it is read as Perl does',
      );
      return;
    }
    if (expected.error !== undefined) {
      t.throws(() => parseProfile(bytes), {
        code: 'ERR_MEMPROF_PROFILE',
        message: /^line \d+: expected .*, found /,
      });
      return;
    }
    const profile = parseProfile(bytes);
    t.strictSame(
      profile.samples.map(({ values, stack, numLabels }) => ({
        values,
        addresses: stack.map(({ address }) => hex(address)),
        bytes: numLabels.bytes?.[0],
      })),
      expected.samples,
    );
    t.strictSame(
      profile.sampleTypes.map(({ type, unit }) => `${type}/${unit}`),
      expected.sampleTypes,
    );
    t.strictSame(profile.mappings.map(mappingText), expected.mappings);
    t.equal(`${profile.periodType.type}/${profile.periodType.unit}`, expected.periodType);
    t.equal(profile.period, expected.period);
    t.equal(profile.format, 'text');
  });

  t.test(`${name} as Perl reads it`, async (t) => {
    for (const [column, mode] of MODES.entries()) {
      // Perl does not read what its --raw writes of a URL. It says the same but for one line.
      const expected = perlExpected(
        name === 's03_sym_profmarker.prof' ? vectors['s01_sym_direct.prof']! : vector,
        mode,
      );
      if (expected === undefined) {
        t.throws(() => parseProfile(bytes, { scaling: 'perl' }), { code: 'ERR_MEMPROF_PROFILE' });
        continue;
      }
      const profile = parseProfile(bytes, { scaling: 'perl' });
      t.equal(profile.sampleTypes[column]?.type, mode);
      const flat = new Map<string, number>();
      let total = 0;
      for (const { values, stack } of profile.samples) {
        const value = values[column]!;
        total += value;
        const names = new Set([hex(stack[0]!.address), perlName(stack[0]!)]);
        for (const name of names) flat.set(name, (flat.get(name) ?? 0) + value);
      }
      t.equal(Math.trunc(total), Number(/\d+/.exec(expected.total)?.[0]), mode);
      for (const row of expected.rows.filter(({ flat }) => flat > 0)) {
        t.equal(
          Math.trunc(flat.get(row.name.replace(/^0000/, '0x')) ?? -1),
          row.flat,
          `${mode} of ${row.name}`,
        );
      }
    }
  });
}

const HEADER = 'heap profile: 3: 48 [5: 80] @ heap/2';
const names = (profile: ProfileData) =>
  profile.samples.map(({ stack }) => stack.map(({ functionName }) => functionName));

t.test('the types of texts, and how their values are scaled', async (t) => {
  const record = '1: 32 [11: 352] @ 0x401101';
  const scaled = [180229, 5767344, 16384, 524304];
  const raw = [11, 352, 1, 32];
  const ratio = [180224, 5767168, 16384, 524288];
  for (const [type, period, go, perl] of [
    ['heap/1048576', 524288, scaled, ratio],
    ['heap_v2/524288', 524288, scaled, scaled],
    ['heapz_v2/524288', 524288, scaled, scaled],
    ['heapprofile', 1, raw, raw],
    ['heap/0', 0, raw, [45056, 1441792, 4096, 131072]],
  ] as const) {
    const text = `heap profile: 1: 32 [11: 352] @ ${type}\n${record}\n`;
    const profile = parse(text);
    t.equal(profile.period, period, type);
    t.strictSame(profile.samples[0]?.values, go, type);
    t.strictSame(parse(text, 'none').samples[0]?.values, raw, type);
    t.strictSame(parse(text, 'perl').samples[0]?.values.map(Math.trunc), perl, type);
  }
  for (const type of ['growthz', 'growth', 'fragmentationz', 'fragmentation']) {
    const profile = parse(`heap profile: 1: 32 [11: 352] @ ${type}\n${record}\n`);
    t.strictSame(profile.samples[0]?.values, [1, 32], type);
    t.equal(profile.defaultSampleType, 'space');
  }
});

t.test('a file without figures of all allocations has two values', async (t) => {
  for (const header of ['3: 48 [0: 0]', '3: 48 [3: 48]']) {
    const profile = parse(`heap profile: ${header} @ heap/2\n3: 48 [3: 48] @ 0x11\n`);
    t.strictSame(profile.samples[0]?.values, [3, 48]);
    t.strictSame(
      profile.sampleTypes.map(({ type }) => type),
      ['objects', 'space'],
    );
  }
});

t.test('no reader divides by zero', async (t) => {
  for (const type of ['heap/1048576', 'heap_v2/524288']) {
    const text = `heap profile: 1: 32 [11: 352] @ ${type}\n0: 0 [0: 0] @ 0x11\n1: 0 [2: 0] @ 0x21\n`;
    t.strictSame(
      parse(text).samples.map(({ values }) => values),
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
    );
    t.strictSame(
      parse(text, 'perl').samples.map(({ values }) => values),
      [
        [0, 0, 0, 0],
        [2, 0, 1, 0],
      ],
    );
    const bytesOnly = `heap profile: 1: 32 [11: 352] @ ${type}\n0: 8 [0: 16] @ 0x11\n`;
    t.strictSame(parse(bytesOnly, 'perl').samples[0]?.values, [0, 16, 0, 8]);
    t.throws(() => parse(bytesOnly), { message: /^line 2: expected no bytes where there are 0 objects/ });
  }
});

t.test("jemalloc's texts", async (t) => {
  const text = [
    'heap_v2/524288',
    '  t*: 13: 10592 [121: 533504]',
    '  t0: 13: 10592 [121: 533504]',
    '@ 0x401101 0x402001',
    '  t*: 1: 32 [11: 352]',
    '  t0: 1: 32 [11: 352]',
    '@ 0x401201',
    '  t*: 0: 0 [100: 522912]',
    '',
    'MAPPED_LIBRARIES:',
    '00400000-00500000 r-xp 00000000 08:01 1234                               /usr/bin/app',
    '',
  ].join('\n');
  const profile = parse(text);
  t.strictSame(
    profile.samples.map(({ values, stack }) => [values, stack.map(({ address }) => hex(address))]),
    [
      [
        [180229, 5767344, 16384, 524304],
        ['0x401100', '0x402000'],
      ],
      [[10076, 52690690, 0, 0], ['0x401200']],
    ],
  );
  t.equal(profile.period, 524288);
  t.strictSame(profile.mappings, [
    { start: 0x400000, limit: 0x500000, offset: 0, fileName: '/usr/bin/app', buildId: '' },
  ]);
  t.strictSame(parse(text, 'none').samples[1]?.values, [100, 522912, 0, 0]);
  const perl = parse(text, 'perl').samples[0];
  t.strictSame(perl?.values.map(Math.trunc), [180229, 5767344, 16384, 524304]);
  t.strictSame(
    perl?.stack.map(({ address }) => hex(address)),
    ['0x401101', '0x402000'],
  );
  t.strictSame(parse('heap_v2/1\n  t*: 1: 8 [0: 0]\n@ 0x11\n  t*: 1: 8 [0: 0]\n').samples[0]?.values, [1, 8]);
});

t.test('comments name the addresses', async (t) => {
  const profile = parse(
    [
      HEADER,
      '1: 16 [2: 32] @ 0x11 0x11 0x21 0x31',
      '#\t0x10\tleaf+0x0\t\t/app/a.js:3',
      '#\t0x10\tleaf+0x0\t\t/app/a.js:3',
      '#\t0x20\tinlined (x)+0x5\tC:\\app\\b c.js:4',
      '#\t0x20\tcaller+0x0\t?:0',
      '',
      '2: 32 [3: 48] @ 0x21 0x41 0x31',
      '#\t0x40\tπ+0x0\t/app/π.js:7',
      '#\t0x30',
      '',
      '# runtime.MemStats',
      '# Alloc = 5',
    ].join('\n'),
  );
  t.strictSame(names(profile), [
    ['leaf', 'leaf', 'inlined (x)', 'caller', ''],
    ['inlined (x)', 'caller', 'π', ''],
  ]);
  const [mapping] = profile.mappings;
  t.strictSame(profile.samples[0]?.stack.slice(1), [
    { functionName: 'leaf', fileName: '/app/a.js', lineNumber: 3, address: 0x10, mapping },
    {
      functionName: 'inlined (x)',
      fileName: 'C:\\app\\b c.js',
      lineNumber: 4,
      address: 0x20,
      mapping,
      inlined: true,
    },
    { functionName: 'caller', fileName: '', lineNumber: 0, address: 0x20, mapping },
    { functionName: '', fileName: '', lineNumber: 0, address: 0x30, mapping },
  ]);
});

t.test('symbol sections', async (t) => {
  const symbols = '--- symbol\nbinary=/usr/bin/node\n0x11 leaf\n0x21 outer--inner\n0x30 main\n---\n';
  const profile = parse(`${symbols}${HEADER}\n3: 48 [5: 80] @ 0x11 0x21 0x31\n`, 'perl');
  t.strictSame(names(profile), [['leaf', 'inner', 'outer', 'main']]);
  t.strictSame(
    parse(`${symbols}--- profile\n${HEADER}\n3: 48 [5: 80] @ 0x11 0x21 0x31\n`),
    profile,
    'what google-pprof --raw writes of a URL',
  );
  t.strictSame(
    parse(`${symbols}${HEADER}\n3: 48 [5: 80] @ 0x11\n`, 'none').samples[0]?.values,
    [5, 80, 3, 48],
  );
  t.throws(() => parse('--- symbol\n0x11 leaf\n', 'perl'), { message: /^line 2: expected '---'/ });
});

t.test('addresses of 64 bits', async (t) => {
  const [sample] = parse(`${HEADER}\n1: 8 [1: 8] @ 0x0 0x1 0x20000000000001 0xffffffffffffffff\n`).samples;
  t.strictSame(
    sample?.stack.map(({ address }) => address),
    [2 ** 64, 0, 2 ** 53, 2 ** 64],
  );
  t.strictSame(
    sample?.stack.map(({ exactAddress }) => exactAddress),
    [2n ** 64n - 1n, undefined, 2n ** 53n, 2n ** 64n - 2n],
  );
  t.throws(() => parse(`${HEADER}\n1: 8 [1: 8] @ 0x10000000000000000\n`), {
    message: /^line 2: expected addresses of 64 bits/,
  });
});

t.test('errors name the line and what was expected', async (t) => {
  for (const [text, message] of [
    ['', /^the profile is empty$/],
    ['hello\n', /^line 1: expected a heap profile: .*, found "hello"$/],
    [
      'heap profile: 1: 8 @ heap/2\n',
      /^line 1: expected a header such as '.*', found "heap profile: 1: 8 @ heap\/2"$/,
    ],
    ['heap profile: 1: 8 [1: 8] @ heapstats\n', /^line 1: expected 'heap', 'heap_v2'/],
    [
      'heap profile: 1: 8 [1: 8] @ heap/99999999999999999999\n',
      /^line 1: expected a sample interval of 64 bits/,
    ],
    [`${HEADER}\n\n# c\n1: 8 [1: 8]\n`, /^line 4: expected a record such as '.*', found "1: 8 \[1: 8\]"$/],
    [`${HEADER}\n9223372036854775808: 8 [1: 8] @\n`, /^line 2: expected integers of 64 bits/],
    [
      `${HEADER}\n${'x'.repeat(70_000)}\n`,
      /^line 2: expected a line of less than 65536 bytes, found "x{59}…$/,
    ],
    ['heap_v2/1\n', /^line 1: expected the totals/],
    ['heap_v2/1\n  t*: 1: 8 [0: 0]\nx\n', /^line 3: expected '@ 0x/],
  ] as const) {
    t.throws(() => parse(text), { code: 'ERR_MEMPROF_PROFILE', message });
  }
});

t.test('arguments', async (t) => {
  t.throws(() => parseProfile('heap' as never), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
  t.throws(() => parse(HEADER, 'ruby' as never), { code: 'ERR_MEMPROF_OUT_OF_RANGE' });
  t.throws(() => parseProfile(Buffer.from(HEADER), { maxBytes: 0 }), { code: 'ERR_MEMPROF_OUT_OF_RANGE' });
  t.throws(() => parseProfile(Buffer.from(HEADER), { maxBytes: 5 }), {
    code: 'ERR_MEMPROF_PROFILE',
    message: 'the profile has more than 5 bytes',
  });
});

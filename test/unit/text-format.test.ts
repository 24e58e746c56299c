import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatHeapText } from '#dist/formats/gotext/encode.js';
import type { Frame, MemProfileRecord, MemStats } from '#dist/profile/public-types.js';
import { fixtures } from '../support/run.js';

function frame(fields: Partial<Frame> = {}): Frame {
  return {
    functionName: 'work',
    fileName: '/app/main.js',
    lineNumber: 7,
    columnNumber: 3,
    address: 0x1000,
    ...fields,
  };
}

type Counts = readonly [inUseObjects: number, inUseBytes: number, allocObjects: number, allocBytes: number];

function record(counts: Counts, stack: readonly Frame[] = [frame()]): MemProfileRecord {
  const [inUseObjects, inUseBytes, allocObjects, allocBytes] = counts;
  return {
    allocObjects,
    allocBytes,
    freeObjects: allocObjects - inUseObjects,
    freeBytes: allocBytes - inUseBytes,
    stack: () => stack,
    inUseObjects: () => inUseObjects,
    inUseBytes: () => inUseBytes,
  };
}

const RECORD_LINE = /^(\d+): (\d+) \[(\d+): (\d+)\] @((?: 0x[0-9a-f]+)+)$/;
const COMMENT_LINE = /^#\t0x([0-9a-f]+)\t+(\S+?)(\+0x[0-9a-f]+)\t+(\S+):(\d+)$/;

/** Go's offsets into functions have no counterpart: a longer name takes up the room of a longer offset. */
function withoutOffset(name: string, offset: string): string {
  return name + '~'.repeat(offset.length - '+0x0'.length);
}

function parseGolden(golden: string): MemProfileRecord[] {
  const records: MemProfileRecord[] = [];
  let stack: Frame[] = [];
  for (const line of golden.split('\n')) {
    const counts = RECORD_LINE.exec(line);
    const comment = COMMENT_LINE.exec(line);
    if (counts !== null) {
      stack = [];
      const numbers = counts.slice(1, 5).map(Number);
      records.push(record([numbers[0]!, numbers[1]!, numbers[2]!, numbers[3]!], stack));
    } else if (comment !== null) {
      const [, address, name, offset, fileName, lineNumber] = comment;
      stack.push(
        frame({
          address: Number.parseInt(address!, 16),
          functionName: withoutOffset(name!, offset!),
          fileName: fileName!,
          lineNumber: Number(lineNumber),
        }),
      );
    }
  }
  return records;
}

/** Go's names are those of `MemStats`, but for case; a line `MSpan = a / b` is `mSpanInuse` and `mSpanSys`. */
function parseStats(golden: string): MemStats {
  const stats: Record<string, unknown> = {};
  for (const [, name = '', value = ''] of golden.matchAll(/^# (\w+) = (.*)$/gm)) {
    const field = name.replace(/^(GC|.)/, (start) => start.toLowerCase());
    const [inUse = '', sys] = value.split(' / ');
    if (sys === undefined) {
      stats[field] = JSON.parse(value.replaceAll(' ', ','));
    } else {
      stats[`${field}Inuse`] = Number(inUse);
      stats[`${field}Sys`] = Number(sys);
    }
  }
  return stats as unknown as MemStats;
}

/** What Go would have written without the frames it hides, without offsets, and with 64-bit figures as doubles. */
function withoutGoPeculiarities(golden: string): string {
  const calls = new Set(
    Array.from(golden.matchAll(/^#\t0x([0-9a-f]+)/gm), (match) => Number.parseInt(match[1]!, 16)),
  );
  return golden
    .replace(/(?<=^\d+: .*) 0x([0-9a-f]+)/gm, (pc, hex) =>
      calls.has(Number.parseInt(hex, 16) - 1) ? pc : '',
    )
    .replace(
      /(?<=^#\t.*\t)([^\t]+)(\+0x[0-9a-f]+)(?=\t)/gm,
      (_, name, offset) => `${withoutOffset(name, offset)}+0x0`,
    )
    .replace(/(?<![.\d])\d{16,}/g, (digits) => BigInt(Number(digits)).toString());
}

function readGolden(sampleInterval: number): string {
  return readFileSync(join(fixtures, 'golden', `go-heap-rate${sampleInterval}.txt`), 'utf8');
}

const goldenStats = readGolden(1024).replace(/^.*(?=\n# runtime.MemStats\n)/s, '');
const memStats = parseStats(goldenStats);
const options = { sampleInterval: 1024 };

function format(records: MemProfileRecord[]): string[] {
  return formatHeapText(records, memStats, options).split('\n');
}

/** What a profile has after `# NAME = `. */
function statsLine(stats: Partial<MemStats>, name: string): string | undefined {
  const lines = formatHeapText([], { ...memStats, ...stats }, options).split('\n');
  return lines.find((line) => line.startsWith(`# ${name} = `))?.replace(/^.* = /, '');
}

for (const sampleInterval of [1024, 524288]) {
  t.test(`writes what Go wrote at interval ${sampleInterval}`, async (t) => {
    const golden = readGolden(sampleInterval);
    const records = parseGolden(golden);
    t.ok(records.length > 5);
    const text = formatHeapText(records, parseStats(golden), { sampleInterval });
    t.strictSame(text.split('\n'), withoutGoPeculiarities(golden).split('\n'));
  });
}

t.test('an empty profile is a header and the statistics, each from its own field', async (t) => {
  let figures = 0;
  const numbered = goldenStats.replace(/(?<=[ [])\d+(?=[\] \n])/g, () => String(++figures));
  t.equal(figures, 20 + 3 * 2 + 2 * 256);
  const text = formatHeapText([], parseStats(numbered), options);
  t.strictSame(text.split('\n'), `heap profile: 0: 0 [0: 1] @ heap/2048\n${numbered}`.split('\n'));
});

t.test('the header', async (t) => {
  t.test('sums the records up', async (t) => {
    const [header] = format([record([1, 10, 2, 20]), record([3, 30, 4, 50])]);
    t.equal(header, 'heap profile: 4: 40 [6: 70] @ heap/2048');
  });

  t.test('never has equal pairs, though a record may', async (t) => {
    const [header, first] = format([record([2, 64, 2, 64])]);
    t.equal(header, 'heap profile: 2: 64 [2: 65] @ heap/2048');
    t.equal(first, '2: 64 [2: 64] @ 0x1001');
  });

  t.test('as heap_v2 has the sample interval itself', async (t) => {
    const text = formatHeapText([record([1, 10, 2, 20])], memStats, { ...options, header: 'heap_v2' });
    t.equal(text.split('\n')[0], 'heap profile: 1: 10 [2: 20] @ heap_v2/1024');
  });

  t.test('is exact where doubles are not', async (t) => {
    const big = record([1, 2 ** 53, 1, 2 ** 53]);
    t.equal(format([big])[0], 'heap profile: 1: 9007199254740992 [1: 9007199254740993] @ heap/2048');
    const [header] = format([big, record([1, 1, 1, 1]), record([0, 0, 1, 1])]);
    t.equal(header, 'heap profile: 2: 9007199254740993 [3: 9007199254740994] @ heap/2048');
  });
});

t.test('records are sorted by in-use bytes, equal ones left in order', async (t) => {
  const sizes = [5, 30, 0, 5, 30, 100, 0];
  const records = sizes.map((size, index) => {
    const stack = [frame({ address: index })];
    return record([size > 0 ? 1 : 0, size, 9, 900], stack);
  });
  const written = format(records).filter((line) => RECORD_LINE.test(line));
  t.strictSame(
    written.map((line) => line.replace(/: .* @/, '')),
    ['1 0x6', '1 0x2', '1 0x5', '1 0x1', '1 0x4', '0 0x3', '0 0x7'],
  );
  t.equal(records[0]!.inUseBytes(), 5, 'the array given is not touched');
});

t.test('no reader refuses the figures', async (t) => {
  const written = (counts: Counts): string | undefined => format([record(counts)])[1];
  t.equal(written([0, 64, 2, 128]), '0: 0 [2: 128] @ 0x1001');
  t.equal(written([-1, -64, 2, 128]), '0: 0 [2: 128] @ 0x1001');
  t.equal(written([1, 0, 2, 128]), '0: 0 [2: 128] @ 0x1001');
  t.equal(written([0, 0, 0, 128]), '0: 0 [0: 0] @ 0x1001');
  t.equal(written([0.5, 64, 2.5, 128.9]), '0: 0 [2: 128] @ 0x1001');
  t.equal(written([Number.NaN, 64, 2, Number.POSITIVE_INFINITY]), '0: 0 [0: 0] @ 0x1001');
  t.equal(written([1, 2 ** 62, 3, 1e21]), '1: 4611686018427387904 [3: 1000000000000000000000] @ 0x1001');
});

t.test('frames', async (t) => {
  t.test('are named by return pc, and by call pc in the comments', async (t) => {
    const leaf = frame({
      address: 0xabcdef0123ff,
      functionName: 'leaf',
      fileName: 'node:fs',
      lineNumber: 12,
    });
    t.strictSame(format([record([1, 8, 2, 16], [leaf, frame(), leaf])]).slice(1, 6), [
      '1: 8 [2: 16] @ 0xabcdef012400 0x1001 0xabcdef012400',
      '#\t0xabcdef0123ff\tleaf+0x0\tnode:fs:12',
      '#\t0x1000\t\twork+0x0\t/app/main.js:7',
      '#\t0xabcdef0123ff\tleaf+0x0\tnode:fs:12',
      '',
    ]);
  });

  t.test('an empty stack has one, too', async (t) => {
    t.strictSame(format([record([1, 8, 2, 16], [])]).slice(1, 4), [
      '1: 8 [2: 16] @ 0x1000000000000',
      '#\t0xffffffffffff\t(unknown)+0x0\t?:0',
      '',
    ]);
  });

  t.test('without names', async (t) => {
    const nameless = frame({ functionName: '', fileName: '', lineNumber: 0 });
    t.equal(format([record([1, 8, 2, 16], [nameless])])[2], '#\t0x1000\t(anonymous)+0x0\t?:0');
  });
});

t.test('names cannot break out of their cell', async (t) => {
  const lines = (name: string): string[] => {
    const hostile = frame({ functionName: name, fileName: name });
    return format([record([1, 8, 2, 16], [hostile, frame()])]).slice(1, 5);
  };

  t.test('not by a forged record', async (t) => {
    t.equal(
      lines('x\n9: 9 [9: 9] @ 0x9')[1],
      '#\t0x1000\tx\\n9: 9 [9: 9] @ 0x9+0x0\tx\\n9: 9 [9: 9] @ 0x9:7',
    );
    t.equal(lines('\n')[1], '#\t0x1000\t\\n+0x0\t\t\\n:7');
  });

  t.test('not by any character', async (t) => {
    const lookalikes = '\u0085\u2028\u2029\u202a\u202e\u2066\u2069';
    const controls = Array.from({ length: 0x21 }, (_, code) => String.fromCharCode(code)).join('');
    for (const character of `${controls}\x7f\x80\x9f${lookalikes}`) {
      const [first = '', second = '', third = '', last] = lines(`a${character}b`);
      t.match(first, RECORD_LINE);
      t.match(second, /^#\t0x1000\ta( |\\[tnvfr]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4})b\+0x0\t+a\1b:7$/);
      t.match(third, /^#\t0x1000\twork\+0x0\t+\/app\/main\.js:7$/);
      t.equal(last, '');
    }
    t.equal(lines('a\udc01b')[1], '#\t0x1000\ta\\udc01b+0x0\ta\\udc01b:7');
    t.equal(lines('a\ud800b')[1], '#\t0x1000\ta\\ud800b+0x0\ta\\ud800b:7');
  });

  t.test('printable ones stay as they are', async (t) => {
    t.equal(lines('C:\\new <a> #é😀')[1], '#\t0x1000\tC:\\new <a> #é😀+0x0\tC:\\new <a> #é😀:7');
  });

  t.test('not by its length', async (t) => {
    for (const character of ['x', '\u2028', '\u4e00', '😀']) {
      for (const line of lines(character.repeat(100_000))) t.ok(Buffer.byteLength(line) < 65_536);
    }
    t.match(lines('x'.repeat(4096))[1], new RegExp(`\t${'x'.repeat(4096)}\\+0x0\t`));
    t.match(lines('x'.repeat(4097))[1], new RegExp(`\t${'x'.repeat(4096)}…\\+0x0\t`));
  });
});

t.test('statistics', async (t) => {
  t.test('are integers of any size', async (t) => {
    t.equal(statsLine({ lastGC: Number('1795384898427086871') }, 'LastGC'), '1795384898427086848');
    t.equal(statsLine({ nextGC: 2 ** 80 }, 'NextGC'), '1208925819614629174706176');
    t.equal(statsLine({ sys: 1234.9 }, 'Sys'), '1234');
    t.equal(statsLine({ stackInuse: 5, stackSys: 1e21 }, 'Stack'), '5 / 1000000000000000000000');
  });

  t.test('rings have 256 entries', async (t) => {
    const zeros = (count: number): string => ' 0'.repeat(count);
    t.equal(statsLine({ pauseNs: [1.5, 2] }, 'PauseNs'), `[1 2${zeros(254)}]`);
    t.equal(statsLine({ pauseEnd: Array(300).fill(3) }, 'PauseEnd'), `[3${' 3'.repeat(255)}]`);
  });

  t.test('booleans are words', async (t) => {
    t.equal(statsLine({ debugGC: true }, 'DebugGC'), 'true');
    t.equal(statsLine({ debugGC: false }, 'DebugGC'), 'false');
  });

  t.test('floats are printed as in Go', async (t) => {
    const small = ['0', '0.0001', '1e-05', '1.2345e-05', '1e-07', '1.5e-100'];
    const others = ['1', '0.5', '0.30000000000000004', '999999.5', '1e+06', '1.2345675e+06', '1e+21', 'NaN'];
    for (const printed of [...small, ...others]) {
      t.equal(statsLine({ gcCPUFraction: Number(printed) }, 'GCCPUFraction'), printed);
    }
    t.equal(statsLine({ gcCPUFraction: Number.POSITIVE_INFINITY }, 'GCCPUFraction'), '+Inf');
    t.equal(statsLine({ gcCPUFraction: Number.NEGATIVE_INFINITY }, 'GCCPUFraction'), '-Inf');
  });
});

t.test('10,000 records of 64 frames take no more than seconds', async (t) => {
  const frames = Array.from({ length: 1000 }, (_, index) => {
    return frame({ address: 0x4b8edc + index * 977, functionName: `f${'x'.repeat(index % 9)}` });
  });
  const records = Array.from({ length: 10_000 }, (_, index) => {
    const stack = Array.from({ length: 64 }, (_, depth) => frames[(index * 7 + depth) % frames.length]!);
    return record([1, index + 1, 2, 2 * index + 2], stack);
  });
  const started = performance.now();
  const text = formatHeapText(records, memStats, options);
  const elapsed = performance.now() - started;
  t.equal(text.split('\n').length, 1 + 10_000 * 66 + 2 + 27 + 1);
  t.ok(elapsed < 5000);
  t.comment(`${Math.round(elapsed)} ms`);
});

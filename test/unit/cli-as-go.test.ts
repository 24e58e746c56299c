// Kinds of profiles that were once read or reported otherwise than `go tool pprof` does.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { LABEL, PROFILE } from '#dist/formats/pprof/fields.js';
import { parseProfile } from '#dist/formats/readers.js';
import { fixtures, goPprof, memprof } from '../support/cli.js';
import { functionOf, locationOf, mappingOf, proto, sampleOf, scratch } from '../support/go-protos.js';
import { needs } from '../support/tools.js';

const folder = path.join(fixtures, 'pprof');
const file = (name: string) => path.join(folder, name);
// Tests compare times as texts.
process.env.TZ = 'UTC';

function report(args: readonly string[]): string {
  const { code, stdout, stderr } = memprof(args);
  if (code !== 0) throw new Error(`memprof ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** The last lines of a table, in single spaces. */
function rows(text: string): string[] {
  const lines = text.trimEnd().split('\n');
  return lines
    .slice(lines.findIndex((line) => line.includes('flat%')) + 1)
    .map((line) => line.trim().replace(/ +/g, ' '));
}

/** Compares reports byte by byte. */
async function sameAsGo(t: Test, reports: readonly string[][], ...files: string[]) {
  await t.test('the same as Go', needs('go'), async (t) => {
    for (const [kind = '', ...flags] of reports) {
      const regex = kind.startsWith('peek=') ? [kind.slice(5)] : [];
      const name = kind.split('=')[0]!;
      t.equal(
        report([name, ...flags, ...files, ...regex]),
        goPprof([`-${kind}`, ...flags, ...files]),
        `${kind} ${flags}`,
      );
    }
  });
}

t.test('all of a proto survives convert', async (t) => {
  const rich = proto(
    t,
    [
      ['alloc_objects', 'count'],
      ['alloc_space', 'bytes'],
    ],
    (id) => [
      functionOf(id, 1, 'std::vector::push_back', '/src/v.cc', '_ZNSt6vectorIiE9push_backERKi', 10),
      functionOf(id, 2, 'caller', '/src/c.cc', 'caller', 3),
      mappingOf(id, 7, 0x400000, 0x500000, '/bin/nothing-here', 1),
      mappingOf(id, 9, 0xffff_ffff_8000_0000n, 0xffff_ffff_9000_0000n, '[kernel.kallsyms]_text'),
      locationOf(3, 7, 0x401000, [
        [1, 12],
        [2, 5],
      ]),
      locationOf(5, 9, 0xffff_ffff_8000_1001n, [], 1),
      sampleOf(
        [3, 5],
        [1, 9007199254740993n],
        [
          [
            [LABEL.key, id('latency')],
            [LABEL.number, 5],
            [LABEL.unit, id('milliseconds')],
          ],
          [
            [LABEL.key, id('thread')],
            [LABEL.text, id('main')],
          ],
        ],
      ),
      [PROFILE.dropFrames, id('malloc')],
      [PROFILE.keepFrames, id('mallocator')],
      [PROFILE.timeNanos, 1_700_000_000_123_456_789n],
      [PROFILE.durationNanos, 2_500_000_000],
      [PROFILE.comment, id('a comment')],
      [PROFILE.docUrl, id('https://example.com/doc')],
      [PROFILE.defaultSampleType, id('alloc_space')],
    ],
  );
  const copy = path.join(scratch(t), 'copy.pb.gz');
  const { stderr } = memprof(['convert', rich, '-o', copy]);
  t.equal(stderr, '', 'nothing is lost');
  const text = report(['raw', copy]);
  t.equal(text, report(['raw', rich]));
  for (const part of [
    'Comment: a comment',
    'Time: 2023-11-14 22:13:20.123456789 +0000 UTC',
    'alloc_space/bytes[dflt]',
    ' 9007199254740993: 1 2',
    'thread:[main]',
    'latency:[5 milliseconds]',
    '1: 0x401000 M=1 std::vector::push_back /src/v.cc:12 s=10(_ZNSt6vectorIiE9push_backERKi)',
    '2: 0xffffffff80001001 M=2 [F]',
    '[FN][IN]',
    '2: 0xffffffff80000000/0xffffffff90000000/0x0 [kernel.kallsyms]_text',
  ]) {
    t.ok(text.includes(part), part);
  }
  const { docUrl, dropFrames, keepFrames } = parseProfile(readFileSync(copy));
  t.strictSame([docUrl, dropFrames, keepFrames], ['https://example.com/doc', 'malloc', 'mallocator']);
  await sameAsGo(t, [['raw'], ['top', '-functions'], ['top', '-addresses'], ['traces'], ['tags']], rich);
  await sameAsGo(t, [['raw']], copy);
  const run = memprof(['convert', rich, '-o', copy.replace('.pb.gz', '.folded')]);
  t.equal(
    run.stderr,
    "memprof: folded does not hold values (alloc_objects); digits of values above 2^53; labels (thread, latency); comments; the time; the duration; which frames to drop; the address of its documentation; mappings; addresses; the linker's names; which calls are inlined; where functions start\n",
  );
});

t.test('inlined calls and mappings belong to a location, whatever its address is', async (t) => {
  const inlined = proto(t, [['space', 'bytes']], (id) => [
    functionOf(id, 1, 'leaf', '/a.go'),
    functionOf(id, 2, 'server', '/a.go'),
    mappingOf(id, 1, 0, 0, '/srv/bin/server'),
    locationOf(1, 0, 0, [
      [1, 1],
      [2, 2],
    ]),
    locationOf(2, 1, 0, []),
    sampleOf([1, 2], [100]),
    sampleOf([2], [50]),
  ]);
  t.strictSame(rows(report(['top', '--functions', inlined])), [
    '100B 66.67% 66.67% 100B 66.67% leaf (inline)',
    '50B 33.33% 100% 150B 100% [server]',
    '0 0% 100% 100B 66.67% server',
  ]);
  t.match(
    report(['top', '--functions', '-hide=server', inlined]),
    'Showing nodes accounting for 100B, 66.67% of 150B total',
  );
  await sameAsGo(
    t,
    [
      ['top', '-functions'],
      ['top', '-functions', '-hide=server'],
      ['top', '-functions', '-show=leaf'],
      ['tree', '-files'],
      ['peek=.', '-lines'],
      ['traces', '-hide=leaf'],
    ],
    inlined,
  );
});

t.test('--base of another process: addresses have moved with their mappings', async (t) => {
  const [before, after] = [file('process-a.heap'), file('process-b.heap')];
  const expected = [
    '3kB 30.00% 30.00% 3kB 30.00% [server]',
    '1kB 10.00% 40.00% 4kB 40.00% [libpthread-2.31.so]',
    '0 0% 40.00% 1kB 10.00% [[vdso]]',
  ];
  t.strictSame(rows(report(['top', '--functions', '--base', before, after])), expected);
  const copies = [before, after].map((name) => {
    const copy = path.join(scratch(t), `${path.basename(name)}.pb.gz`);
    report(['convert', name, '-o', copy]);
    return copy;
  });
  t.strictSame(
    rows(report(['top', '--functions', '--base', copies[0]!, copies[1]!])),
    expected,
    'after convert, too',
  );
  await sameAsGo(
    t,
    [
      ['top', '-functions', `-base=${before}`],
      ['top', '-functions', `-diff_base=${before}`],
      ['raw', `-base=${before}`],
      ['tree', '-addresses', `-base=${before}`],
      ['tags', `-diff_base=${before}`],
    ],
    after,
  );
});

t.test('several files add up', async (t) => {
  const files = [file('process-a.heap'), file('process-b.heap')];
  t.match(report(['top', '--functions', ...files]), 'Showing nodes accounting for 18kB, 100% of 18kB total');
  await sameAsGo(t, [['top', '-functions'], ['raw'], ['traces'], ['peek=lib', '-functions']], ...files);
  const sum = path.join(scratch(t), 'sum.pb.gz');
  report(['convert', ...files, '-o', sum]);
  t.equal(report(['top', '--functions', sum]), report(['top', '--functions', ...files]));
});

t.test('attributes of memory maps', async (t) => {
  const names = parseProfile(readFileSync(file('build-attribute.txt'))).mappings.map(
    ({ fileName }) => fileName,
  );
  t.strictSame(names, ['/srv/app/server', '/srv/app/lib/lib.so']);
  await sameAsGo(t, [['raw'], ['top', '-functions'], ['traces']], file('build-attribute.txt'));
});

t.test('what google-pprof --raw writes of a URL', async (t) => {
  const bytes = readFileSync(file('raw-of-url.prof'));
  const [sample] = parseProfile(bytes, { scaling: 'none' }).samples;
  t.strictSame(sample!.values, [2, 200, 1, 100]);
  t.strictSame(
    sample!.stack.map(({ functionName }) => functionName),
    ['main', 'outer', 'inner'],
  );
  t.match(report(['top', file('raw-of-url.prof')]), / main\n/);
});

t.test('heap profiles of Java', async (t) => {
  await sameAsGo(
    t,
    [['raw'], ['top', '-functions'], ['tree', '-lines'], ['traces'], ['tags']],
    file('java.heap'),
  );
  t.match(report(['top', '--functions', file('java.heap')]), /35654\.37kB .* libjvm\n/);
});

t.test('functions without files, and types without names', async (t) => {
  const plain = proto(
    t,
    [
      ['space', 'bytes'],
      ['', 'count'],
    ],
    (id) => [
      functionOf(id, 1, 'a'),
      functionOf(id, 2, 'b', '/b.go'),
      mappingOf(id, 1, 0x400000, 0x500000, '/srv/bin/server'),
      locationOf(1, 1, 0x400010, [[1, 1]]),
      locationOf(2, 1, 0x400020, [[2, 2]]),
      sampleOf([1, 2], [100, 3]),
    ],
  );
  t.match(report(['top', '--files', '-sample_index=0', plain]), / \[server\]\n/);
  t.notMatch(report(['top', '--functions', '-sample_index=1', plain]), 'Type:');
  await sameAsGo(
    t,
    [
      ['top', '-files', '-sample_index=0'],
      ['top', '-functions', '-sample_index=1'],
      ['traces', '-files'],
    ],
    plain,
  );
});

t.test('addresses and figures of 64 bits', async (t) => {
  const kernel = 0xffff_ffff_8100_0000n;
  const large = proto(t, [['space', 'bytes']], (id) => [
    mappingOf(id, 1, kernel, kernel + 0x100000n, '[kernel.kallsyms]_text'),
    locationOf(1, 1, kernel + 1n, []),
    locationOf(2, 1, kernel + 2n, []),
    sampleOf([1, 2], [2n ** 53n + 1n]),
    sampleOf([2, 1], [3]),
    [PROFILE.timeNanos, 1_700_000_000_999_999_999n],
  ]);
  t.notMatch(report(['tree', '--addresses', large]), 'inline');
  t.match(report(['raw', large]), '9007199254740993: 1 2');
  await sameAsGo(
    t,
    [['top', '-addresses'], ['tree', '-addresses'], ['raw'], ['traces', '-addresses']],
    large,
  );
});

t.test('filters by labels', async (t) => {
  const labelled = proto(t, [['space', 'bytes']], (id) => [
    functionOf(id, 1, 'a', '/a.go'),
    locationOf(1, 0, 0x10, [[1, 1]]),
    ...[512, 4096, 1 << 20].map((size) =>
      sampleOf(
        [1],
        [size],
        [
          [
            [LABEL.key, id('bytes')],
            [LABEL.number, size],
          ],
          [
            [LABEL.key, id('tenant')],
            [LABEL.text, id(`t${size}`)],
          ],
        ],
      ),
    ),
  ]);
  const flags = [
    '-tagfocus=1kb:',
    '-tagfocus=:4kb',
    '-tagfocus=4kb',
    '-tagfocus=1kb:8kb',
    '-tagfocus=bytes=:600',
    '-tagfocus=tenant=t5',
    '-tagfocus=t5,512',
    '-tagignore=tenant=t4',
    '-tagignore=1mb',
    '-tagfocus=nothing',
  ];
  await sameAsGo(
    t,
    flags.flatMap((flag) => [
      ['top', '-functions', flag],
      ['tags', flag],
    ]),
    labelled,
  );
  t.match(
    report(['top', '--functions', '--tagfocus', 'bytes=:4kb', labelled]),
    'Showing nodes accounting for 4.50kB',
  );
});

t.test('a filter for the main script matches its own frames only', async (t) => {
  const { functions } = { functions: ['main', 'handle'] };
  const own = proto(t, [['inuse_space', 'bytes']], (id) => [
    functionOf(id, 1, functions[0]!, '/app/server.js'),
    functionOf(id, 2, functions[1]!, '/app/lib/other.js'),
    mappingOf(id, 1, 0, 0, '/app/server.js', 1),
    locationOf(1, 0, 0x10, [[1, 1]]),
    locationOf(2, 0, 0x20, [[2, 2]]),
    sampleOf([1], [100]),
    sampleOf([2], [50]),
  ]);
  t.strictSame(rows(report(['top', '--functions', '--ignore', 'server', own])), [
    '50B 33.33% 33.33% 50B 33.33% handle',
  ]);
  await sameAsGo(
    t,
    [
      ['top', '-functions', '-ignore=server'],
      ['top', '-functions', '-focus=server'],
      ['top', '-functions', '-hide=server'],
    ],
    own,
  );
});

t.test('forms with one value are read back', async (t) => {
  const names = (text: string) =>
    rows(text).map((row) => row.split(' ').slice(5).join(' ').replace(' (inline)', ''));
  const input = path.join(fixtures, 'go-proto', 'after.pb.gz');
  const expected = names(report(['top', '--functions', '--node-fraction=0', input]));
  for (const form of ['heapprofile', 'folded']) {
    const output = path.join(scratch(t), `x.${form}`);
    const { stderr } = memprof(['convert', input, '-o', output]);
    t.match(
      stderr,
      new RegExp(
        `^memprof: ${form} does not hold values \\(alloc_objects, alloc_space, inuse_objects\\); labels \\(bytes\\)`,
      ),
    );
    t.strictSame(names(report(['top', '--functions', '--node-fraction=0', output])), expected);
  }
});

t.test('profiles that are none of the heap are named', async (t) => {
  const cpu = Buffer.alloc(40);
  cpu.writeBigUInt64LE(3n, 8);
  cpu.writeBigUInt64LE(10_000n, 24);
  for (const [bytes, name] of [
    [cpu, /this is a CPU profile of gperftools/],
    [Buffer.from('--- contentionz 1 ---\ncycles/second = 3\n'), /this is a contention profile/],
    [Buffer.from('goroutine profile: total 7\n1 @ 0x1\n'), /this is a count of goroutines or threads/],
    [Buffer.from('--- threadz 1 ---\n'), /this is a profile of threads/],
  ] as const) {
    t.throws(() => parseProfile(bytes), { code: 'ERR_MEMPROF_PROFILE', message: name });
  }
});

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { type BenchFigures, compareBenches } from '#dist/analysis/bench-compare.js';
import { memprof } from '../support/cli.js';

const of = (bytesPerOp: number, allocsPerOp: number, spread?: [min: number, max: number]): BenchFigures => ({
  bytesPerOp,
  allocsPerOp,
  ...(spread === undefined
    ? {}
    : {
        spread: {
          bytesPerOp: { min: spread[0], max: spread[1] },
          allocsPerOp: { min: allocsPerOp, max: allocsPerOp },
        },
      }),
});

t.test('what counts as more', (t) => {
  const cases: [from: BenchFigures, to: BenchFigures, verdict: string][] = [
    [of(100, 2), of(100, 2), 'same'],
    [of(100, 2), of(108, 2), 'more'],
    [of(100, 2), of(107, 2), 'same'],
    [of(10_000, 200), of(10_096, 200), 'same'],
    [of(10_000, 200), of(10_104, 200), 'more'],
    [of(100, 2), of(100, 3), 'more'],
    [of(100, 2), of(100, 2.9), 'same'],
    [of(0, 0), of(16, 1), 'more'],
    [of(16, 1), of(0, 0), 'less'],
    [of(100, 2), of(50, 3), 'more'],
    [of(100, 2, [80, 130]), of(120, 2, [90, 140]), 'same'],
    [of(100, 2, [80, 110]), of(150, 2, [120, 180]), 'more'],
  ];
  for (const [from, to, verdict] of cases) {
    const [row] = compareBenches({ f: from }, { f: to }, 0.01);
    t.equal(row!.verdict, verdict, `${JSON.stringify(from)} → ${JSON.stringify(to)}`);
  }
  t.same(
    compareBenches({ gone: of(1, 1) }, { toString: of(1, 1) }, 0).map(({ name, verdict }) => [name, verdict]),
    [
      ['gone', 'gone'],
      ['toString', 'new'],
    ],
  );
  t.end();
});

t.test('the command', (t) => {
  const folder = t.testdir({});
  const write = (name: string, value: unknown) => {
    writeFileSync(path.join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  };
  write('before.json', { parse: of(100, 2), 'a|b': of(8, 1), old: of(1, 1) });
  write('after.json', { parse: of(150.25, 2), 'a|b': of(8, 1) });
  const compare = (...args: string[]) => memprof(['bench-compare', ...args], { cwd: folder });
  const run = compare('before.json', 'after.json');
  t.equal(run.code, 1);
  t.equal(
    run.stdout,
    `bytes/op    now   change  allocs/op  now  verdict  name
     100  150.3  +50.25%          2    2  more     parse
       8      8                   1    1  same     a|b
       1      -                   1    -  gone     old
`,
  );
  t.equal(run.stderr, 'memprof: more is allocated by parse\n');
  t.equal(compare('--tolerance=0.51', 'before.json', 'after.json').code, 0);
  t.match(
    compare('--format=md', 'before.json', 'after.json').stdout,
    '| `a\\|b` | 8 | 8 |  | 1 | 1 | same |\n',
  );
  t.equal(JSON.parse(compare('--format=json', 'before.json', 'after.json').stdout)[0].verdict, 'more');

  write('list.json', [of(1, 1)]);
  write('none.json', {});
  write('negative.json', { f: of(-1, 1) });
  write('text.json', 'x');
  for (const [args, code, expected] of [
    [['before.json'], 2, /expected two files of results/],
    [['before.json', 'missing.json'], 1, /missing\.json: no such file/],
    [['before.json', 'text.json'], 1, /text\.json: no JSON/],
    [['before.json', 'list.json'], 1, /list\.json: no results of measure\(\) by name/],
    [['before.json', 'none.json'], 1, /no results/],
    [['negative.json', 'after.json'], 1, /no results/],
  ] as const) {
    const wrong = compare(...args);
    t.equal(wrong.code, code, args.join(' '));
    t.match(wrong.stderr, expected);
    t.equal(wrong.stdout, '');
  }
  t.end();
});

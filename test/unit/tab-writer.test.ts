import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { alignTabs } from '#dist/formats/gotext/tab-writer.js';
import { fixtures } from '../support/run.js';

for (const name of ['go-heap-rate1024.txt', 'go-heap-rate524288.txt']) {
  t.test(`aligns ${name} as Go did`, async (t) => {
    const golden = readFileSync(join(fixtures, 'golden', name), 'utf8');
    const unaligned = golden.replace(/\t+/g, '\t');
    t.not(unaligned, golden);
    t.strictSame(alignTabs(unaligned).split('\n'), golden.split('\n'));
  });
}

// The right-hand sides are what Go 1.19.8's text/tabwriter writes.
const cases: { title: string; text: string; aligned: string }[] = [
  { title: 'nothing', text: '', aligned: '' },
  { title: 'lines without cells', text: 'one\n\ntwo', aligned: 'one\n\ntwo' },
  { title: 'a width of 7 fills one tab stop', text: '1234567\tx\ny\tz\n', aligned: '1234567\tx\ny\tz\n' },
  { title: 'a width of 8 needs a second', text: '12345678\tx\ny\tz\n', aligned: '12345678\tx\ny\t\tz\n' },
  {
    title: 'the last field is no cell',
    text: 'a\tlong, long text\nb\tc\n',
    aligned: 'a\tlong, long text\nb\tc\n',
  },
  {
    title: 'a line without cells ends every column',
    text: '12345678\tx\n\ny\tz\n',
    aligned: '12345678\tx\n\ny\tz\n',
  },
  {
    title: 'a shorter line ends only the columns it lacks',
    text: '12345678\t12345678\tx\na\tb\na\tb\tc\n',
    aligned: '12345678\t12345678\tx\na\t\tb\na\t\tb\tc\n',
  },
  {
    title: 'a column may start late',
    text: 'a\tb\na\t12345678\tc\na\td\te\n',
    aligned: 'a\tb\na\t12345678\tc\na\td\t\te\n',
  },
  { title: 'empty cells', text: '\t\tx\n12345678\t\ty\n', aligned: '\t\t\tx\n12345678\t\ty\n' },
  {
    title: 'code points, not UTF-16 units',
    text: '😀😀😀😀\tx\n1234567\ty\n',
    aligned: '😀😀😀😀\tx\n1234567\ty\n',
  },
  { title: 'code points, not bytes', text: 'ééééééé\tx\n1\ty\n', aligned: 'ééééééé\tx\n1\ty\n' },
  {
    title: 'a wide cell of surrogate pairs',
    text: '😀😀😀😀😀😀😀😀\tx\ny\tz\n',
    aligned: '😀😀😀😀😀😀😀😀\tx\ny\t\tz\n',
  },
  { title: 'a last line without a newline', text: '12345678\tx\ny\tz', aligned: '12345678\tx\ny\t\tz' },
  { title: 'a last tab without a newline', text: '12345678\tx\ny\t', aligned: '12345678\tx\ny' },
];

for (const { title, text, aligned } of cases) {
  t.equal(alignTabs(text), aligned, title);
}

t.equal(
  alignTabs('\ud83d\ud83d\ud83d\ud83d\t|\n1\t|\n'),
  '\ud83d\ud83d\ud83d\ud83d\t|\n1\t|\n',
  'lone high surrogates',
);
t.equal(
  alignTabs(`${'\ude00'.repeat(8)}\t|\n1\t|\n`),
  `${'\ude00'.repeat(8)}\t|\n1\t\t|\n`,
  'lone low surrogates',
);

t.test('takes time in proportion to the text', async (t) => {
  const started = performance.now();
  const wideThenLong = '\t'.repeat(200_000) + '\n'.concat('a\tb\n'.repeat(200_000));
  t.equal(alignTabs(wideThenLong).length, wideThenLong.length);
  const record = `1: 2 [3: 4] @ 0x1\n${'#\t0x4b8edc\tmain.allocLive+0x5c\t/app/main.go:17\n'.repeat(64)}\n`;
  const text = record.repeat(10_000);
  t.equal(alignTabs(text).length, text.length);
  t.ok(performance.now() - started < 10_000);
});

import t from 'tap';
import { report } from '../support/run.js';

type Roots = Partial<Record<'whole' | '(truncated)', number>>;
interface Depths {
  source: 'direct' | 'public';
  sourceProblem: string | null;
  depth: number;
  limited: string;
  deepest: number;
  cut: number;
  marks: number;
  compared: number;
  roots: Record<'of40' | 'of400' | 'of900', Record<string, Roots>>;
}

const supported = process.platform === 'linux' && process.arch === 'x64';

// Each recursion allocates some 1 MB in its leaf, at a sample each 2 KiB.
for (const { source, depth, whole, cut } of [
  { source: 'direct', depth: 512, whole: ['of40', 'of400'], cut: ['of900'] },
  { source: 'public', depth: 64, whole: ['of40'], cut: ['of400', 'of900'] },
] as const) {
  const skip = source === 'direct' && !supported ? 'samples are taken directly on Linux x64 only' : false;
  t.test(`${source} samples keep ${depth} frames, and deeper stacks have one root`, { skip }, async (t) => {
    const found = await report<Depths>('stack-depth', {
      args: [source],
      // Inlined functions have no frames.
      flags: ['--expose-gc', '--no-opt', '--no-maglev'],
    });
    t.equal(found.source, source, found.sourceProblem ?? '');
    t.equal(found.depth, depth);
    t.equal(found.limited, source === 'direct' ? 'nothing' : 'reading', 'what maxOverhead bounds');
    t.equal(found.deepest, depth + 1, 'the deepest stack is cut');
    t.equal(found.cut, 0, 'the tables have room');
    t.equal(found.marks, 1, 'all stacks that are cut are in one tree');
    if (source === 'direct')
      t.ok(found.compared >= 32, `${found.compared} stacks are V8's, as far as V8 goes`);
    for (const name of whole) {
      for (const [format, roots] of Object.entries(found.roots[name])) {
        t.same(Object.keys(roots), ['whole'], `${format}: ${name} is whole`);
      }
    }
    for (const name of cut) {
      for (const [format, roots] of Object.entries(found.roots[name])) {
        t.ok((roots['(truncated)'] ?? 0) > 0, `${format}: ${name} hangs from (truncated)`, roots);
      }
    }
  });
}

const skip = supported ? false : 'samples are taken directly on Linux x64 only';
t.test('when half of the tables is used, stacks are cut at 64 frames', { skip }, async (t) => {
  // A stack of 512 frames that no other begins with takes 10 KB and more, so half of a MiB is used after some 40 of 150.
  const found = await report<{
    source: string;
    sourceProblem: string | null;
    lengths: number[];
    cut: number;
  }>('stack-depth', { args: ['direct', 2 ** 20], flags: ['--expose-gc', '--no-opt', '--no-maglev'] });
  t.equal(found.source, 'direct', found.sourceProblem ?? '');
  t.same(found.lengths, [65, 513], 'some have 512 frames, the others 64');
  t.equal(found.cut, 0, 'so the tables have room');
});

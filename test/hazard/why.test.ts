import t from 'tap';
import type { Explanation } from '#dist/index.js';
import { endedWell, lastLine, run, scaled } from '../support/hazard.js';

// What explain() says of programs that leak in different ways; and that it harms none.
const supported = process.platform === 'linux' && process.arch === 'x64';
const skip = supported ? false : 'objects are found only where samples are taken directly: on Linux x64';

// What the optimiser inlines counts in the caller, and then a site has another name, or fewer samples.
const nodeArgs = ['--no-opt', '--no-maglev'];

const leaks = [
  {
    kind: 'listeners',
    holder:
      /^bus \(module scope, held\.cjs:\d+\) → EventEmitter\._events → \.tick\[\] → closure held\.cjs:\d+/,
  },
  { kind: 'map', holder: /^sessions \(module scope, held\.cjs:\d+\) → Map\[\]/ },
  { kind: 'closures', holder: /^handlers \(module scope, held\.cjs:\d+\)\[\] → closure held\.cjs:\d+/ },
  { kind: 'promises', holder: /^waiting \(module scope, held\.cjs:\d+\) → Set\[\] → closure → Promise/ },
  {
    kind: 'timer',
    holder:
      /^timerListMap \(module scope, node:.*timers\).* → Timeout\._onTimeout → closure held\.cjs:\d+ → copy/,
  },
  // Known of prom-client: labels of many values.
  { kind: 'package', holder: /\.register → Registry\._metrics → \.requests → Counter\.hashMap/ },
];

for (const { kind, holder } of leaks) {
  t.test(`what holds the memory of a leak by ${kind}`, { skip }, async (t) => {
    const outcome = await run('held.cjs', { nodeArgs, args: [kind, 6000] });
    endedWell(t, outcome);
    const { sites, source } = lastLine<Explanation & { source: string }>(outcome);
    t.equal(source, 'direct');
    const [site] = sites;
    const [first] = site?.paths ?? [];
    t.match(first?.path, holder);
    t.ok(first!.share >= 0.8, `${first!.share} of ${site!.samples} samples`);
    t.ok(site!.samples > 30, `${site!.samples} samples`);
    // Those of a package have many sizes.
    const off = Math.abs(first!.bytes - first!.share * site!.bytes) / site!.bytes;
    t.ok(off < (kind === 'package' ? 0.5 : 0.2), `its share of bytes is ${off} off`);
  });
}

t.test('garbage is held by nothing', { skip }, async (t) => {
  const outcome = await run('held.cjs', { nodeArgs, args: ['garbage', 6000] });
  endedWell(t, outcome);
  const { sites } = lastLine<Explanation>(outcome);
  const garbage = sites.reduce((sum, { notHeld }) => sum + notHeld.samples, 0);
  const samples = sites.reduce((sum, site) => sum + site.samples, 0);
  // What V8 keeps of the code that ran belongs to the sites, too.
  t.ok(samples > 30 && garbage >= 0.8 * samples, `${garbage} samples of ${samples}`);
  const kinds = sites.flatMap(({ paths }) => paths.flatMap((each) => each.kinds.map(({ kind }) => kind)));
  t.strictSame(
    kinds.filter((kind) => kind === 'Session' || kind === 'Array'),
    [],
    'no object of the program is held',
  );
});

t.test('called again and again under load', { skip }, async (t) => {
  const calls = scaled(t, 'rounds of calls', 3, 70);
  const outcome = await run('why-in-a-loop.cjs', { args: [calls] });
  endedWell(t, outcome);
  const report = lastLine<{
    paths: number;
    ERR_MEMPROF_BUSY: number;
    others: string[];
    rss: number[];
    state: string;
    source: string;
  }>(outcome);
  t.strictSame(report.others, [], 'no other errors');
  t.equal(report.ERR_MEMPROF_BUSY, calls, 'the second of two at once is refused');
  t.ok(report.paths >= calls, `${report.paths} answers`);
  t.equal(report.state, 'running');
  t.equal(report.source, 'direct', 'sampling goes on as before');
  const [early, late] = [report.rss[Math.floor(calls / 4)]!, report.rss.at(-1)!];
  t.ok(late < early * 1.5 + 64 * 2 ** 20, `RSS ${early} after a quarter, ${late} at the end`);
});

t.test('V8 gives back the names that it made for a snapshot', { skip }, async (t) => {
  const calls = scaled(t, 'calls', 12, 200);
  const outcome = await run('why-repeated.cjs', { args: [calls] });
  endedWell(t, outcome);
  const { answered, malloced, source } = lastLine<{ answered: number; malloced: number[]; source: string }>(
    outcome,
  );
  t.equal(answered, calls);
  t.equal(source, 'direct');
  if (malloced.length === 0) {
    t.comment('skipped: this C library does not tell what malloc has in use');
    return;
  }
  // Each call left 1.4 MB in this program. What V8's compilers have in use comes and goes, so the least counts.
  const half = malloced.length / 2;
  const growth = Math.min(...malloced.slice(half)) - Math.min(...malloced.slice(0, half));
  t.ok(growth < 3 * 2 ** 20, `${growth} bytes more in the second half of ${calls} calls`);
});

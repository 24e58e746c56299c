import path from 'node:path';
import t from 'tap';
import { endedWell, lastLine, run, scaled, soak } from '../support/hazard.js';

t.test('allocating for long: neither the process nor memprof grows', async (t) => {
  const gigabytes = scaled(t, 'GB allocated', 4, 200);
  const outcome = await run(path.join('..', '..', 'bench', 'soak-rss.cjs'), {
    args: [gigabytes, soak ? 5 : 1],
  });
  const { rssRise, rssRiseWithout, mostRise, ownRise, mostOwnRise, runs } = lastLine<
    Record<'rssRise' | 'rssRiseWithout' | 'mostRise' | 'ownRise' | 'mostOwnRise', number> & {
      runs: { rss: number[]; own: number[] }[];
    }
  >(outcome);
  const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(2);
  for (const { rss, own } of runs)
    t.comment(`RSS in MiB: ${rss.map(mib).join(' ')}; memprof's own: ${own.map(mib).join(' ')}`);
  t.ok(ownRise <= mostOwnRise, `memprof's own memory rises by ${mib(ownRise)} MiB`);
  t.comment(`the resident set rises by ${mib(rssRise)} MiB, by ${mib(rssRiseWithout)} MiB without memprof`);
  if (soak) {
    t.ok(rssRise <= mostRise, `no more than ${mib(mostRise)} MiB`);
    endedWell(t, outcome);
  } else {
    // A few gigabytes are too few for V8 to settle: Node.js 26 alone takes 10 MiB more. Here memprof must not add to it.
    t.ok(rssRise - rssRiseWithout <= mostRise, `memprof adds no more than ${mib(mostRise)} MiB`);
    t.strictSame([outcome.signal, outcome.stderr], [null, ''], 'no signal, silent');
  }
});

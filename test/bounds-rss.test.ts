import path from 'node:path';
import t from 'tap';
import { endedWell, lastLine, run, scaled, soak } from './support/hazard.js';

t.test('allocating for long: neither the process nor memprof grows', async (t) => {
  const gigabytes = scaled(t, 'GB allocated', 4, 200);
  const outcome = await run(path.join('..', '..', 'bench', 'soak-rss.cjs'), {
    args: [gigabytes, soak ? 5 : 1],
  });
  const { rssRise, mostRise, ownRise, mostOwnRise, runs } = lastLine<
    Record<'rssRise' | 'mostRise' | 'ownRise' | 'mostOwnRise', number> & {
      runs: { rss: number[]; own: number[] }[];
    }
  >(outcome);
  const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(2);
  for (const { rss, own } of runs)
    t.comment(`RSS in MiB: ${rss.map(mib).join(' ')}; memprof's own: ${own.map(mib).join(' ')}`);
  t.ok(ownRise <= mostOwnRise, `memprof's own memory rises by ${mib(ownRise)} MiB`);
  t.ok(rssRise <= mostRise, `the resident set rises by ${mib(rssRise)} MiB`);
  endedWell(t, outcome);
});

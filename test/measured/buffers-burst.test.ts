import t from 'tap';
import { report } from '../support/run.js';

interface Run {
  share: number;
  mostThinning: number;
  comments: string[];
}

t.test('a burst of large buffers is known to 4 % in 19 of 20 runs', async (t) => {
  const runs = await report<Run[]>('buffers-burst', { args: ['20'] });
  t.equal(runs.length, 20);
  const near = runs.filter(({ share }) => Math.abs(share - 1) < 0.04);
  const shares = runs.map(({ share }) => share.toFixed(3)).join(' ');
  // On Node.js 24 samples are sometimes thinned by more, and 1 to 3 of 20 runs are off by 5 to 13 %. Why is not known.
  const isOf24 = process.versions.node.startsWith('24.');
  if (isOf24) t.comment('on Node.js 24: 15 of 20 runs, see docs/buffers.md');
  t.ok(near.length >= (isOf24 ? 15 : 19), `${near.length} of 20: ${shares}`);
  t.ok(
    runs.every(({ share }) => Math.abs(share - 1) < 0.25),
    shares,
  );
  for (const { mostThinning, comments } of runs) {
    const thinned = mostThinning > 1 ? `up to ${mostThinning} was taken` : 'no sample was left out';
    t.ok(
      comments.some((each) => each.includes(thinned)),
      comments.join(', '),
    );
  }
});

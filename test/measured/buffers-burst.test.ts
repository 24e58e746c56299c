import t from 'tap';
import { report } from '../support/run.js';

interface Run {
  share: number;
  mostThinning: number;
  comments: string[];
}

// Each in a process of its own, whose code is cold: a sample takes two or three times as long there.
t.test('a burst of large buffers is known to 4 % in 19 of 20 runs', async (t) => {
  const runs: Run[] = [];
  for (let i = 0; i < 20; i++) runs.push(...(await report<Run[]>('buffers-burst', { args: ['1'] })));
  t.equal(runs.length, 20);
  const near = runs.filter(({ share }) => Math.abs(share - 1) < 0.04);
  const shares = runs.map(({ share }) => share.toFixed(3)).join(' ');
  t.ok(near.length >= 19, `${near.length} of 20: ${shares}`);
  for (const { mostThinning, comments } of runs) {
    const thinned = mostThinning > 1 ? `up to ${mostThinning} was taken` : 'no sample was left out';
    t.ok(
      comments.some((each) => each.includes(thinned)),
      comments.join(', '),
    );
  }
});

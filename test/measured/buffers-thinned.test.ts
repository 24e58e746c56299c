import t from 'tap';
import type { BufferFigures } from '../support/buffers.js';
import { report } from '../support/run.js';

const BYTES = 32 * 1024;
const BUFFERS = 1_000_000;

interface Report {
  sites: Record<'often' | 'seldom', BufferFigures>;
  /** At first, the most while buffers were allocated, and after a pause. */
  thinnings: [number, number, number];
  mean: number;
  seconds: number;
  samplesSeen: number;
  sampleInterval: number;
}

t.test('who does nothing but allocate buffers gets fewer samples, and right figures', async (t) => {
  const { sites, thinnings, seconds, samplesSeen, sampleInterval, mean } = await report<Report>(
    'buffers-thinned',
    { args: [String(BUFFERS)] },
  );
  const [first, most, afterPause] = thinnings;
  t.comment(`${BUFFERS} buffers in ${seconds.toFixed(2)} s: ${samplesSeen} samples, thinned up to ${most}`);
  t.equal(first, 1, 'there is time for every sample at first');
  t.ok(most > 1, `samples are thinned by up to ${most}`);
  t.equal(afterPause, 1, 'and no longer after a pause');

  const probability = 1 - Math.exp(-BYTES / sampleInterval);
  const unthinned = BUFFERS * probability;
  t.ok(samplesSeen < unthinned / 2, `${samplesSeen} samples instead of ${Math.round(unthinned)}`);
  // 10 ms are enough for 4,000. It was 23 where others got the processor in the middle of a sample.
  t.ok(samplesSeen > 400, 'but not next to none');

  // Records have what was sampled. A sample thinned by f counts f times and has f times the variance.
  const near = (name: string, is: number, buffers: number) => {
    const expected = buffers * probability;
    const error = is / BYTES - expected;
    const sigma = Math.sqrt(expected * mean);
    t.ok(
      Math.abs(error) < 4.5 * sigma + most,
      `${name}: ${(error / sigma).toFixed(2)} sigma of ${(sigma / expected).toFixed(3)}`,
    );
  };
  near('often, allocated', sites.often.allocBytes, (BUFFERS * 3) / 4);
  near('seldom, allocated', sites.seldom.allocBytes, BUFFERS / 4);
  t.equal(sites.often.inUseBytes + sites.seldom.inUseBytes, 0, 'none is in use');
  t.equal(sites.often.wrong + sites.seldom.wrong, 0, 'no record is negative');
});

import t, { type Test } from 'tap';
import { type BufferFigures, type BufferReport, plausibleBuffers } from '../support/buffers.js';
import { run, scaled } from '../support/hazard.js';

async function one(t: Test, scenario: string, what: string, ci: number, full: number) {
  const times = scaled(t, what, ci, full);
  const outcome = await run('hazard-buffers-threads.cjs', {
    nodeArgs: ['--expose-gc'],
    args: [scenario, times],
  });
  return { times, report: plausibleBuffers(t, outcome, { running: scenario !== 'alone' }) };
}

const figures = (report: BufferReport, name: string) => report[name] as BufferFigures;

t.test('buffers from workers that ended before they are freed', async (t) => {
  const { times, report } = await one(t, 'sends', 'workers', 6, 500);
  t.equal(report.mismatches, 0, 'all arrived');
  t.equal(figures(report, 'alive').inUseObjects, times * 50, 'are in use, under the stacks of their workers');
  t.equal(figures(report, 'gone').inUseObjects, 0, 'and freed in the end');
});

t.test('buffers to workers, and half of them back', async (t) => {
  const { times, report } = await one(t, 'receives', 'workers', 6, 500);
  t.equal(report.back, times * 25);
  t.equal(figures(report, 'gone').allocObjects, times * 50);
  t.equal(figures(report, 'gone').inUseObjects, 0, 'both halves were freed');
});

t.test('workers terminated in the middle of their allocations', async (t) => {
  const { times, report } = await one(t, 'churns', 'workers', 6, 500);
  t.equal(report.kept, times);
  t.ok(figures(report, 'churned').allocObjects > times, 'they had allocated');
  t.ok(figures(report, 'churned').inUseObjects <= 20, 'what they had is freed');
});

t.test('shared memory whose maker ended', async (t) => {
  const { times, report } = await one(t, 'shares', 'workers', 6, 500);
  t.equal(report.mismatches, 0, 'all is there');
  t.ok(figures(report, 'alive').inUseObjects >= times, 'what is kept is in use');
  t.equal(figures(report, 'gone').inUseObjects, 0, 'and freed in the end');
});

t.test('workers that end while their buffers are freed', async (t) => {
  const { times, report } = await one(t, 'sweeps', 'workers', 6, 500);
  t.ok(report.allocObjects >= times * 3000, `${report.allocObjects} were counted`);
});

t.test('memprof only in workers that end', async (t) => {
  const { times, report } = await one(t, 'alone', 'workers', 10, 500);
  t.equal(report.loaded, false, 'the main thread had not loaded it');
  t.equal(report.allocObjects, times * 50);
  t.equal(report.inUseObjects, 0, 'their buffers were freed, and counted, after they had ended');
});

t.test('workers at the end of their stack', async (t) => {
  const { report } = await one(t, 'deep', 'workers', 2, 50);
  for (const outcome of report.outcomes as { name: string; made: number }[]) {
    t.equal(outcome.name, 'RangeError', `after ${outcome.made} buffers`);
  }
});

t.test('workers that run out of heap', async (t) => {
  const { report } = await one(t, 'outOfHeap', 'workers', 1, 50);
  t.strictSame(report.codes, ['ERR_WORKER_OUT_OF_MEMORY'], 'end as they would anyway');
});

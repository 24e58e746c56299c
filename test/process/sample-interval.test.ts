// The sample interval of a running process.
import { get, request } from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { serve } from '#dist/http.js';
import { setSampleInterval, start, status, stop } from '#dist/index.js';
import { lastLine, run } from '../support/hazard.js';

const supported = process.platform === 'linux' && process.arch === 'x64';
const skip = supported ? false : 'samples are taken directly on Linux x64 only';

interface Segment {
  interval: number;
  now: number;
  recordsFor: number;
  one: number;
  two: number;
  truth: { one: number; two: number };
}
interface Intervals {
  source: string;
  sourceProblem: string | null;
  segments: Segment[];
  refused: string[];
}

t.test('figures are not biased by ten changes of the interval', { skip }, async (t) => {
  const report = lastLine<Intervals>(await run('intervals.cjs', { nodeArgs: ['--expose-gc'] }));
  t.equal(report.sourceProblem, null);
  t.equal(report.source, 'direct');
  t.equal(report.segments.length, 10);
  // The number of samples that a function gets is Poisson's, of at least 200: the sigma of an estimate is
  // sqrt(bytes * interval), and its distribution is near enough to the normal one.
  const sigmas: number[] = [];
  for (const { interval, now, one, two, truth } of report.segments) {
    t.equal(now, interval, 'status() has the interval');
    for (const [estimate, bytes] of [
      [one, truth.one],
      [two, truth.two],
    ] as const) {
      const error = (estimate - bytes) / Math.sqrt(bytes * interval);
      sigmas.push(error);
      t.ok(Math.abs(error) < 4.5, `${Math.round(estimate)} of ${bytes} at ${interval}: ${error} sigma`);
    }
  }
  // All of them together: the mean of 20 standardised errors has a sigma of 1 / sqrt(20).
  const mean = sigmas.reduce((sum, each) => sum + each, 0) / sigmas.length;
  t.ok(Math.abs(mean) < 4 / Math.sqrt(sigmas.length), `mean error ${mean} sigma`);
  t.equal(report.segments.at(-1)!.recordsFor, 2048, 'records are for the finest interval');
  t.same(report.refused, [
    ...['ERR_MEMPROF_OUT_OF_RANGE', 'ERR_MEMPROF_OUT_OF_RANGE'],
    ...['ERR_MEMPROF_INVALID_ARG_TYPE', 'ERR_MEMPROF_INVALID_ARG_TYPE', 'ERR_MEMPROF_OUT_OF_RANGE'],
    ...['ERR_MEMPROF_INVALID_ARG_TYPE', 'ERR_MEMPROF_INVALID_ARG_TYPE'],
  ]);
});

const token = 'secret';
const post = (port: number, path: string, headers: Record<string, string> = {}, body = '') =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    request({ port, path: `/debug/pprof/${path}`, method: 'POST', headers, agent: false }, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode!, body: answer }), reject);
    })
      .once('error', reject)
      .end(body);
  });

t.test('POST /debug/pprof/interval', { skip }, async (t) => {
  t.teardown(stop);
  start({ directSamples: false });
  t.throws(() => setSampleInterval(65536), { code: 'ERR_MEMPROF_INTERVAL' });
  const open = await serve({ port: 0 });
  const guarded = await serve({ port: 0, token });
  t.teardown(async () => {
    await open.close();
    await guarded.close();
  });
  t.equal((await post(open.port, 'interval?bytes=64k')).status, 409, 'where V8 takes the samples');
  stop();
  start({ directSamples: true, reset: true });
  t.equal(status().heap.source, 'direct', String(status().heap.sourceProblem));
  t.equal((await post(open.port, 'interval?bytes=64k')).status, 200);
  t.equal((await post(open.port, 'interval', {}, '32k..1m')).status, 200);
  t.equal((await post(open.port, 'interval', {}, 'often')).status, 400);
  t.equal((await post(open.port, 'interval', { origin: 'http://example.com' }, '64k')).status, 403);
  t.equal((await post(guarded.port, 'interval?bytes=64k')).status, 401);
  const authorization = `Bearer ${token}`;
  t.equal((await post(guarded.port, 'interval?bytes=64k', { authorization })).status, 200);
  const answer = await new Promise<number>((resolve) => {
    get({ port: open.port, path: '/debug/pprof/interval?bytes=64k', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
  });
  t.equal(answer, 405, 'a link changes nothing');
});

t.test('a range', { skip }, (t) => {
  stop();
  start({ directSamples: true, reset: true, sampleInterval: { finest: 4096, coarsest: 524288 } });
  t.equal(status().heap.interval, 524288, 'begins with the coarsest');
  t.equal(status().overhead.limited, 'total');
  const junk: unknown[] = [];
  const until = Date.now() + 30_000;
  while (status().heap.interval > 131_072 && Date.now() < until) {
    for (let i = 0; i < 1000; i++) junk[i] = new Array(10).fill(i);
    // Little is allocated for the time it takes.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
  t.ok(status().heap.interval <= 131_072, `${status().heap.interval}: finer where it is cheap`);
  stop();
  t.equal(status().heap.interval, 0);
  t.end();
});

// Stacks of hundreds of frames, each of another depth, cost much more than the limit allows. Then the interval doubles every
// 100 ms until it is the coarsest.
for (const callSites of [false, true]) {
  const lines = callSites ? ' with the lines of calls' : '';
  const old = callSites && Number(process.versions.node.split('.')[0]) < 22;
  const reason = skip || (old && 'lines of calls need Node.js 22 or later');
  t.test(`the coarsest interval by default${lines}`, { skip: reason }, (t) => {
    stop();
    start({ directSamples: true, callSites, maxOverhead: 0.0001, reset: true });
    t.equal(status().callSites.problem, null);
    t.equal(status().heap.interval, 524288, 'begins with the finest');
    const coarsest = (callSites ? 8 : 2) * 2 ** 20;
    const junk: unknown[] = [];
    const allocateAt = (depth: number): void => {
      if (depth > 0) allocateAt(depth - 1);
      else for (let i = 0; i < 1000; i++) junk[i] = new Array(1000).fill(i);
    };
    let turns = 0;
    const allocateUntil = (isDone: () => boolean, deadline: number) => {
      while (!isDone() && Date.now() < deadline) allocateAt(turns++ % 400);
    };
    allocateUntil(() => status().heap.interval >= coarsest, Date.now() + 60_000);
    allocateUntil(() => false, Date.now() + 500);
    t.equal(status().heap.interval, coarsest);
    stop();
    t.end();
  });
}

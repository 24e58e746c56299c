import t from 'tap';
import { NO_FIGURES } from '#dist/addon/status-figures.js';
import type { Status } from '#dist/index.js';
import { type PlainRecord, recordsOf } from '../support/figures.js';
import { report } from '../support/run.js';

const INTERVAL = 256;

interface Snapshot {
  records: PlainRecord[];
  status: Status;
}
type Thrown = { name: string; code: string; message: string } | null;

function scenario<T>(name: string): Promise<T> {
  return report<T>('lifecycle', { args: [name] });
}

/** Raw sums of the records with the function on their stack. */
function sumsOf(records: readonly PlainRecord[], functionName: string) {
  const sums = { allocated: 0, inUse: 0 };
  for (const { allocObjects, freeObjects } of recordsOf(records, functionName)) {
    sums.allocated += allocObjects;
    sums.inUse += allocObjects - freeObjects;
  }
  return sums;
}

t.test('read before the first start: nothing', async (t) => {
  const found = await scenario<{
    result: { n: number; ok: boolean };
    records: number;
    counts: number[];
    header: string;
    mallocs: number;
    status: Status;
  }>('readBeforeStart');
  t.strictSame(found.result, { n: 0, ok: true });
  t.equal(found.records, 0);
  t.strictSame(found.counts, [0, 0]);
  t.match(found.header, /^heap profile: 0: 0 \[0: 1\] @ heap\/\d+$/);
  t.equal(found.mallocs, 0);
  t.equal(found.status.state, 'stopped');
  t.equal(found.status.heap.sampleInterval, 0);
});

t.test('stop before start: without effect', async (t) => {
  const { stopped, started } = await scenario<{ stopped: Status; started: Status }>('stopBeforeStart');
  t.equal(stopped.state, 'stopped');
  t.equal(stopped.internal.isolatesRunning, 0);
  t.equal(started.state, 'running');
  t.equal(started.internal.isolatesRunning, 1);
});

t.test('start twice: without effect, but for another interval', async (t) => {
  const { before, after, otherInterval, stopped } = await scenario<{
    before: PlainRecord[];
    after: Snapshot;
    otherInterval: Thrown;
    stopped: Status;
  }>('startTwice');
  t.ok(sumsOf(before, 'keep').inUse > 0);
  t.strictSame(after.records, before);
  t.equal(after.status.state, 'running');
  t.equal(after.status.heap.stackDepth, 20, 'options of the second start are not taken');
  t.equal(after.status.internal.isolatesRunning, 1);
  t.match(otherInterval, { name: 'MemprofError', code: 'ERR_MEMPROF_INTERVAL', message: /\b256\b.*\b512\b/ });
  t.equal(stopped.state, 'stopped', 'one stop is enough');
  t.equal(stopped.internal.isolatesRunning, 0);
});

t.test('stop twice: without effect', async (t) => {
  const { once, twice } = await scenario<{ once: Snapshot; twice: Snapshot }>('stopTwice');
  t.equal(once.status.state, 'stopped');
  t.equal(once.status.internal.isolatesRunning, 0);
  t.ok(sumsOf(once.records, 'keep').inUse > 0);
  t.ok(twice.status.heap.figuresAgeNs >= once.status.heap.figuresAgeNs, 'only time goes on');
  twice.status.heap.figuresAgeNs = once.status.heap.figuresAgeNs;
  // The size of the program's buffers is that of now.
  twice.status.buffers.bytes = once.status.buffers.bytes;
  t.strictSame(twice, once);
});

t.test('read while stopped: frozen', async (t) => {
  const { running, stopped, later, count } = await scenario<{
    running: PlainRecord[];
    stopped: PlainRecord[];
    later: PlainRecord[];
    count: number;
  }>('readWhileStopped');
  t.ok(sumsOf(running, 'keep').inUse > 0);
  t.strictSame(sumsOf(stopped, 'keep'), sumsOf(running, 'keep'), 'stop changes nothing');
  t.strictSame(later, stopped, 'nothing that happens later does');
  t.equal(count, later.length);
});

t.test('restart: goes on with the records there are, of which nothing is in use', async (t) => {
  const { stopped, restarted, later, dropped, status } = await scenario<{
    stopped: PlainRecord[];
    restarted: PlainRecord[];
    later: PlainRecord[];
    dropped: PlainRecord[];
    status: Status;
  }>('restart');
  t.ok(sumsOf(stopped, 'keep').inUse > 0);
  t.strictSame(
    restarted.filter((each) => each.allocObjects !== each.freeObjects),
    [],
    'V8 has forgotten what was in use',
  );
  t.equal(sumsOf(restarted, 'keep').allocated, sumsOf(stopped, 'keep').allocated);
  t.strictSame(sumsOf(later, 'keep'), sumsOf(restarted, 'keep'));
  t.ok(sumsOf(later, 'keepLater').inUse > 0, 'it counts again');
  t.strictSame(sumsOf(dropped, 'keep'), sumsOf(restarted, 'keep'), 'nothing is freed twice');
  t.equal(sumsOf(dropped, 'keepLater').allocated, sumsOf(later, 'keepLater').allocated);
  t.ok(sumsOf(dropped, 'keepLater').inUse < sumsOf(later, 'keepLater').inUse / 10, 'it counts frees again');
  t.equal(status.heap.samplesImputed, status.heap.samplesLost);
});

t.test('another interval while there are records: refused; none given: the one in force', async (t) => {
  const { refused, afterRefusal, adopted } = await scenario<{
    refused: Thrown;
    afterRefusal: Status;
    adopted: Status;
  }>('otherInterval');
  t.match(refused, {
    name: 'MemprofError',
    code: 'ERR_MEMPROF_INTERVAL',
    message: /\b256\b.*\b512\b.*reset/,
  });
  t.equal(afterRefusal.state, 'stopped');
  t.equal(afterRefusal.heap.sampleInterval, INTERVAL);
  t.equal(adopted.state, 'running');
  t.equal(adopted.heap.sampleInterval, INTERVAL);
});

t.test('another interval while there are no records: taken', async (t) => {
  const { status } = await scenario<{ status: Status }>('otherIntervalWithoutRecords');
  t.equal(status.state, 'running');
  t.equal(status.heap.sampleInterval, INTERVAL);
});

t.test('reset: only while stopped; then as if nothing had been', async (t) => {
  const { whileRunning, untouched, before, after, oldDied, later } = await scenario<{
    whileRunning: Thrown;
    untouched: PlainRecord[];
    before: PlainRecord[];
    after: Snapshot;
    oldDied: PlainRecord[];
    later: PlainRecord[];
  }>('reset');
  t.match(whileRunning, { name: 'MemprofError', code: 'ERR_MEMPROF_STILL_RUNNING', message: /stop\(\)/ });
  t.ok(sumsOf(untouched, 'keep').inUse > 0, 'refused: records are still there');
  t.ok(before.length > 0);
  t.strictSame(recordsOf(after.records, 'keep'), [], 'the records are gone');
  t.equal(after.status.heap.sampleInterval, INTERVAL * 2, 'a new interval');
  t.equal(after.status.state, 'running');
  t.strictSame(recordsOf(oldDied, 'keep'), [], 'what was counted before is not freed now');
  t.ok(sumsOf(later, 'keepLater').inUse > 0, 'it counts');
  for (const each of [...oldDied, ...later]) {
    if (each.freeObjects > each.allocObjects || each.freeBytes > each.allocBytes) {
      t.fail('more was freed than allocated', each);
    }
  }
});

t.test('reset while another thread runs: refused', async (t) => {
  const { refused, during, after } = await scenario<{ refused: Thrown; during: Status; after: Status }>(
    'resetWhileWorkerRuns',
  );
  t.match(refused, { code: 'ERR_MEMPROF_STILL_RUNNING' });
  t.equal(during.state, 'stopped');
  t.equal(during.internal.isolatesRunning, 1);
  t.equal(after.state, 'running');
  t.equal(after.heap.sampleInterval, INTERVAL * 2);
});

t.test('start while somebody else samples: refused, and theirs is left alone', async (t) => {
  const found = await scenario<{
    refused: Thrown;
    afterRefusal: Status;
    stillSampling: boolean;
    afterwards: Status;
    records: PlainRecord[];
  }>('busy');
  t.match(found.refused, { name: 'MemprofError', code: 'ERR_MEMPROF_SAMPLER_BUSY', message: /inspector/ });
  t.equal(found.afterRefusal.state, 'stopped');
  t.equal(found.afterRefusal.internal.isolatesRunning, 0);
  t.equal(found.stillSampling, true, 'our stop does not stop theirs');
  t.equal(found.afterwards.state, 'running', 'as soon as they have stopped, we can start');
  t.ok(sumsOf(found.records, 'keep').inUse > 0);
});

t.test('somebody stops our sampler: noticed, and nothing is counted twice', async (t) => {
  const { before, displaced, after } = await scenario<{
    before: PlainRecord[];
    displaced: Snapshot;
    after: Snapshot;
  }>('displaced');
  t.equal(displaced.status.state, 'displaced');
  t.strictSame(sumsOf(displaced.records, 'keep'), { allocated: sumsOf(before, 'keep').allocated, inUse: 0 });
  t.equal(after.status.state, 'running');
  t.equal(after.status.internal.isolatesRunning, 1);
  t.strictSame(sumsOf(after.records, 'keep'), sumsOf(displaced.records, 'keep'));
  t.ok(sumsOf(after.records, 'keepLater').inUse > 0);
});

t.test('somebody puts their sampler in the place of ours: noticed, not counted, not stopped', async (t) => {
  const { before, replaced, theirsRuns, busy, stopped } = await scenario<{
    before: PlainRecord[];
    replaced: Snapshot;
    theirsRuns: boolean;
    busy: Thrown;
    stopped: Status;
  }>('replaced');
  t.equal(replaced.status.state, 'displaced');
  t.strictSame(sumsOf(replaced.records, 'keep'), { allocated: sumsOf(before, 'keep').allocated, inUse: 0 });
  t.strictSame(sumsOf(replaced.records, 'keepLater'), { allocated: 0, inUse: 0 }, 'theirs are not counted');
  t.equal(theirsRuns, true, 'our stop does not stop theirs');
  t.match(busy, { code: 'ERR_MEMPROF_SAMPLER_BUSY' });
  t.equal(stopped.state, 'stopped');
  t.equal(stopped.internal.isolatesRunning, 0);
});

t.test('status', async (t) => {
  const { before, started, running, stopped } = await scenario<{
    before: Status;
    started: Status;
    running: Snapshot;
    stopped: Status;
  }>('status');
  const none = NO_FIGURES;
  for (const [name, group] of Object.entries(none)) {
    if (typeof group !== 'object' || ArrayBuffer.isView(group)) continue;
    const figures = { ...before[name as 'heap'] } as Record<string, unknown>;
    t.strictSame(Object.keys(figures), Object.keys(group), `${name}: the addon has the figures of the table`);
    // Tables have a limit and a frame before any start, and the thread is known.
    if (name === 'tables' || name === 'internal')
      for (const [key, value] of Object.entries(figures)) t.ok(Number.isSafeInteger(value), `${name}.${key}`);
    else {
      // Node.js itself has buffers.
      if (name === 'buffers') figures.bytes = 0;
      t.strictSame(figures, group, `${name}: nothing yet`);
    }
  }
  t.match(before, { state: 'stopped', unavailable: null, threads: [{ id: 0, state: 'stopped' }] });
  t.match(before.internal, { isolates: 1, isolatesRunning: 0, isolatesEnded: 0, runningNs: 0 });
  t.match(started, {
    state: 'running',
    heap: { sampleInterval: INTERVAL, stackDepth: 17, source: /^(public|direct)$/, sourceProblem: null },
    overhead: { limit: 0.005 },
    tables: { maxBytes: 8 * 1024 * 1024 },
    threads: [{ id: 0, state: 'running' }],
    internal: { isolates: 1, isolatesRunning: 1 },
  });

  const { status, records } = running;
  t.ok(status.heap.harvests >= 2, 'a harvest for each collection');
  t.ok(
    status.internal.harvestCpuNs > 0 &&
      status.heap.longestPauseNs > 0 &&
      status.internal.translateCpuNs <= status.internal.harvestCpuNs + status.internal.readCpuNs,
  );
  t.equal(status.heap.samplesImputed, status.heap.samplesLost);
  t.ok(status.heap.samplesSeen >= status.heap.samplesPublished);
  t.equal(
    status.heap.samplesPublished + status.heap.samplesImputed,
    records.reduce((sum, each) => sum + each.allocObjects, 0),
    'what is published is what the records hold',
  );
  t.ok(
    status.heap.samplesLive >= records.reduce((sum, each) => sum + each.allocObjects - each.freeObjects, 0),
  );
  t.ok(status.internal.treeNodes > 0 || status.heap.source === 'direct');
  t.ok(status.internal.isolateBytes > 0);
  t.ok(status.tables.usedBytes > 0 && status.tables.usedBytes <= status.tables.committedBytes);
  t.ok(status.tables.committedBytes <= status.tables.maxBytes);
  t.ok(status.tables.buckets >= records.length && status.tables.stacks > 0 && status.tables.frames > 0);
  t.equal(status.tables.cutStacks, 0);
  t.equal(status.tables.overflowSamples, 0);

  t.match(stopped, {
    state: 'stopped',
    heap: { sampleInterval: INTERVAL },
    internal: { isolatesRunning: 0, isolates: 1 },
  });
});

t.test('defaults are those of Go', async (t) => {
  const { status } = await scenario<{ status: Status }>('defaults');
  t.equal(status.heap.sampleInterval, 512 * 1024);
  const direct = process.platform === 'linux' && process.arch === 'x64';
  t.equal(status.heap.source, direct ? 'direct' : 'public');
  t.equal(status.heap.stackDepth, direct ? 512 : 64);
  t.equal(status.overhead.limit, 0.005);
  t.equal(status.overhead.limited, direct ? 'total' : 'reading');
  t.equal(status.tables.maxBytes, 32 * 1024 * 1024);
});

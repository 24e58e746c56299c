import { spawnSync } from 'node:child_process';
import path from 'node:path';
import client from 'prom-client';
import t, { type Test } from 'tap';
import { PauseHistory } from '#dist/export/pause-history.js';
import { memprofMetrics } from '#dist/export/prometheus-collector.js';
import { Rising } from '#dist/export/rising.js';
import { type MemStats, readMemStats, start, status, stop } from '#dist/index.js';
import { plainNode } from '../support/cli.js';
import { root } from '../support/run.js';
import { testAddon } from '../support/test-addon.js';

const gc = (globalThis as unknown as { gc(options?: { type: 'minor' | 'major' }): void }).gc;

interface Family {
  type: string;
  help: string;
  /** By name and labels as they stand in the text. */
  samples: Map<string, number>;
}

/** Prometheus' text format; throws at a line that is none of it. */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let family: Family | undefined;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    const sample = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$/.exec(line);
    if (head !== null) {
      const [, kind, name, rest] = head;
      if (kind === 'HELP') {
        if (families.has(name!)) throw new Error(`twice: ${name}`);
        family = { type: '', help: rest!, samples: new Map() };
        families.set(name!, family);
      } else family!.type = rest!;
    } else if (sample !== null) family!.samples.set(sample[1]!, Number(sample[2]));
    else throw new Error(`not a line of the format: ${line}`);
  }
  return families;
}

async function scrape(register: client.Registry): Promise<Map<string, Family>> {
  return parse(await register.metrics());
}

function figure(families: Map<string, Family>, name: string): number {
  const value = families.get(name)?.samples.get(name);
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
}

const kept: unknown[] = [];
function allocate(): void {
  for (let n = 0; n < 20_000; n++) kept[n % 1000] = { n, text: `text ${n}` };
}

/** Metric, its type, and the field of `readMemStats` it shows. */
const GO_NAMES = [
  ['alloc_bytes', 'gauge', 'alloc'],
  ['alloc_bytes_total', 'counter', 'totalAlloc'],
  ['sys_bytes', 'gauge', 'sys'],
  ['mallocs_total', 'counter', 'mallocs'],
  ['frees_total', 'counter', 'frees'],
  ['heap_alloc_bytes', 'gauge', 'heapAlloc'],
  ['heap_sys_bytes', 'gauge', 'heapSys'],
  ['heap_idle_bytes', 'gauge', 'heapIdle'],
  ['heap_inuse_bytes', 'gauge', 'heapInuse'],
  ['heap_released_bytes', 'gauge', 'heapReleased'],
  ['heap_objects', 'gauge', 'heapObjects'],
  ['stack_inuse_bytes', 'gauge', 'stackInuse'],
  ['stack_sys_bytes', 'gauge', 'stackSys'],
  ['buck_hash_sys_bytes', 'gauge', 'buckHashSys'],
  ['gc_sys_bytes', 'gauge', 'gcSys'],
  ['other_sys_bytes', 'gauge', 'otherSys'],
  ['next_gc_bytes', 'gauge', 'nextGC'],
] as const;

/** Bytes by which a value may lie outside of those right before and after: calls of other depth, Buffers of the scrape. */
const SLACK: Readonly<Record<string, number>> = { stackInuse: 4096, otherSys: 1e6, sys: 1e6 };

t.test('names, types and values are those of Go and of readMemStats', async (t) => {
  const register = new client.Registry();
  start({ sampleInterval: 1024 });
  t.teardown(stop);
  // Metrics are collected in the order they were registered in: these two read right before and right after.
  const reads: MemStats[] = [];
  const reader = (name: string) =>
    new client.Gauge({
      name,
      help: name,
      registers: [register],
      collect: () => void reads.push(readMemStats()),
    });
  reader('before');
  memprofMetrics({ register });
  reader('after');
  allocate();
  gc();
  let families = await scrape(register);
  const isBetween = (name: string, field: (typeof GO_NAMES)[number][2]) => {
    const value = figure(families, `nodejs_memstats_${name}`);
    const bounds = [reads.at(-2)![field], reads.at(-1)![field]];
    const slack = SLACK[field] ?? 0;
    return value >= Math.min(...bounds) - slack && value <= Math.max(...bounds) + slack;
  };
  // A collection or V8's own threads between the two change what the one in the middle may say: the one counts up, the
  // others take memory and give it back, so that it may be seen in the middle alone. A wrong field is wrong each time.
  const settled = () =>
    reads.at(-2)!.numGC === reads.at(-1)!.numGC &&
    GO_NAMES.every(([name, , field]) => isBetween(name, field));
  for (let n = 0; n < 100 && !settled(); n++) families = await scrape(register);
  const [before, after] = [reads.at(-2)!, reads.at(-1)!];
  t.equal(before.numGC, after.numGC, 'read three times with no collection between');
  for (const [name, type, field] of GO_NAMES) {
    const full = `nodejs_memstats_${name}`;
    t.equal(families.get(full)?.type, type, `${full} is a ${type}`);
    t.ok(isBetween(name, field), `${full} is what readMemStats says`, {
      value: figure(families, full),
      bounds: [before[field], after[field]],
    });
  }
  t.ok(before.mallocs > 1000 && before.frees > 1000, 'something was sampled');
  t.equal(figure(families, 'nodejs_memstats_mallocs_total'), before.mallocs);
  t.equal(figure(families, 'nodejs_memstats_frees_total'), before.frees);
  t.equal(figure(families, 'nodejs_memstats_last_gc_time_seconds'), before.lastGC / 1e9);
  t.equal(figure(families, 'nodejs_memstats_gc_forced_total'), before.numForcedGC);
  t.equal(figure(families, 'nodejs_memstats_gc_major_total'), before.numMajorGC);
  t.equal(figure(families, 'nodejs_memstats_gc_major_pause_seconds_total'), before.pauseMajorTotalNs / 1e9);
});

t.test('the health of the profiler', async (t) => {
  const register = new client.Registry();
  memprofMetrics({ register });
  start({ sampleInterval: 1024 });
  t.teardown(stop);
  allocate();
  const families = await scrape(register);
  const { tables, heap } = status();
  t.equal(figure(families, 'memprof_running_threads'), 1);
  t.equal(figure(families, 'memprof_sample_interval_bytes'), heap.sampleInterval);
  t.equal(figure(families, 'memprof_max_table_bytes'), tables.maxBytes);
  const table = figure(families, 'memprof_table_bytes');
  t.ok(table > 0 && table <= tables.usedBytes, 'memprof_table_bytes', { table, ...tables });
  const seen = figure(families, 'memprof_samples_seen_total');
  t.ok(seen > 100 && seen <= heap.samplesSeen, 'memprof_samples_seen_total', { seen, ...heap });
  for (const name of ['samples_lost_total', 'samples_imputed_total', 'overflow_samples_total'] as const) {
    t.equal(families.get(`memprof_${name}`)?.type, 'counter');
  }
  const overhead = figure(families, 'memprof_overhead_ratio');
  t.ok(overhead > 0 && overhead < 1, 'memprof_overhead_ratio', { overhead });
});

t.test('where resident memory is', async (t) => {
  const MIB = 2 ** 20;
  const register = new client.Registry();
  memprofMetrics({ register });
  const scraped = async () => {
    const families = await scrape(register);
    const of = (name: string) => {
      t.equal(families.get(`memprof_memory_${name}`)?.type, 'gauge');
      return figure(families, `memprof_memory_${name}`) / MIB;
    };
    return {
      rss: of('rss_bytes'),
      buffers: of('array_buffers_bytes'),
      elsewhere: of('rss_elsewhere_bytes'),
      real: process.memoryUsage.rss() / MIB,
    };
  };
  // Each step takes 200 MiB of one kind: what comes and goes by itself is a small part of it.
  const near = (value: number, expected: number, what: string) =>
    t.ok(Math.abs(value - expected) < 40, `${what}: ${value.toFixed(1)} MiB, of ${expected}`);
  gc();
  const first = await scraped();
  const filled = Buffer.alloc(200 * MIB, 1);
  const second = await scraped();
  near(second.rss, second.real, 'resident');
  near(second.rss - first.rss, 200, 'a Buffer is resident');
  near(second.buffers - first.buffers, filled.length / MIB, 'it is counted with Buffers');
  near(second.elsewhere - first.elsewhere, 0, 'and nowhere else');
  require(testAddon(t, 'taking')).take(200 * MIB, 1000, 1);
  const third = await scraped();
  near(third.rss - second.rss, 200, 'memory of an addon is resident');
  near(third.buffers - second.buffers, 0, 'it is no Buffer');
  near(third.elsewhere - second.elsewhere, 200, 'so it is elsewhere');
});

t.test('one scrape shows one moment', async (t) => {
  const register = new client.Registry();
  memprofMetrics({ register });
  for (let n = 0; n < 5; n++) {
    allocate();
    const families = await scrape(register);
    const of = (name: string) => figure(families, `nodejs_memstats_${name}`);
    t.equal(of('heap_sys_bytes'), of('heap_idle_bytes') + of('heap_inuse_bytes'));
    t.equal(of('alloc_bytes'), of('heap_alloc_bytes'));
  }
});

t.test('counters never fall', async (t) => {
  const register = new client.Registry();
  memprofMetrics({ register });
  start({ sampleInterval: 1024 });
  t.teardown(stop);
  const last = new Map<string, number>();
  let rises = 0;
  for (let n = 0; n < 20; n++) {
    allocate();
    if (n % 3 === 0) gc();
    for (const { type, samples } of (await scrape(register)).values()) {
      if (type === 'gauge') continue;
      for (const [name, value] of samples) {
        const before = last.get(name) ?? 0;
        if (!(value >= before)) t.fail(`${name} fell`, { before, value });
        if (value > before) rises++;
        last.set(name, value);
      }
    }
  }
  t.ok(rises > 100, 'and they rise', { rises });
});

const PAUSES = 'nodejs_memstats_gc_pause_seconds';

function checkHistogram(t: Test, families: Map<string, Family>): void {
  const { type, samples } = families.get(PAUSES)!;
  t.equal(type, 'histogram');
  const buckets = [...samples].filter(([name]) => name.startsWith(`${PAUSES}_bucket`));
  const counts = buckets.map(([, count]) => count);
  t.same(
    counts,
    [...counts].sort((a, b) => a - b),
    'buckets are cumulative',
  );
  t.match(buckets.at(-1)![0], 'le="+Inf"');
  t.equal(counts.at(-1), samples.get(`${PAUSES}_count`));
}

t.test('every pause counts once', async (t) => {
  const register = new client.Registry();
  memprofMetrics({ register });
  // All of one moment: a collection may come at any time.
  const figures = async () => {
    const families = await scrape(register);
    checkHistogram(t, families);
    const { samples } = families.get(PAUSES)!;
    const of = (name: string) => figure(families, `nodejs_memstats_gc_${name}`);
    return {
      count: samples.get(`${PAUSES}_count`)!,
      sum: samples.get(`${PAUSES}_sum`)!,
      missed: of('pauses_missed_total'),
      collections: of('minor_total') + of('major_total'),
      seconds: of('minor_pause_seconds_total') + of('major_pause_seconds_total'),
    };
  };
  let before = await figures();
  for (const collections of [0, 1, 7, 100, 200]) {
    for (let n = 0; n < collections; n++) gc({ type: 'minor' });
    const now = await figures();
    t.ok(now.collections - before.collections >= collections);
    t.equal(
      now.count - before.count,
      now.collections - before.collections,
      `${collections}: as many as there were`,
    );
    const error = now.sum - before.sum - (now.seconds - before.seconds);
    t.ok(Math.abs(error) < 1e-9, 'and as long', { now, before });
    t.equal(now.missed, before.missed, 'none is missed');
    before = now;
  }

  for (let n = 0; n < 300; n++) gc({ type: 'minor' });
  const now = await figures();
  t.equal(now.count - before.count, 256, 'of more than 256, the last 256 are counted');
  t.equal(
    now.missed - before.missed,
    now.collections - before.collections - 256,
    'and the rest is owned up to',
  );
});

t.test('pauses of other threads that turn up late, below ones that were read', async (t) => {
  const history = new PauseHistory();
  const rings = (...pauses: [end: number, ns: number][]) => ({
    numGC: pauses.length,
    pauseEnd: pauses.map(([end]) => end),
    pauseNs: pauses.map(([, ns]) => ns),
  });
  t.same(history.take(rings([100, 1], [300, 3], [0, 0])), [1, 3]);
  t.same(history.take(rings([100, 1], [200, 2], [300, 3])), [2]);
  t.same(history.take(rings([100, 1], [200, 2], [300, 3], [300, 3])), [3], 'two alike are two');
  t.same(history.take(rings([100, 1], [200, 2], [300, 3], [300, 3])), []);
});

t.test('a second registry has a histogram of its own; a metric by itself is up to date', async (t) => {
  const first = new client.Registry();
  const second = new client.Registry();
  memprofMetrics({ register: first });
  memprofMetrics({ register: second, prefix: 'my_', labels: { app: 'x' } });
  gc();
  // What this reads must not be lost for the histogram.
  await second.getSingleMetricAsString('my_nodejs_memstats_gc_minor_total');
  // A collection may come at any time: the second's count lies between two of the first's.
  const countOfFirst = async () => (await scrape(first)).get(PAUSES)!.samples.get(`${PAUSES}_count`)!;
  const before = await countOfFirst();
  const families = await scrape(second);
  const after = await countOfFirst();
  t.ok([...families.keys()].every((name) => name.startsWith('my_')));
  const count = families.get(`my_${PAUSES}`)!.samples.get(`my_${PAUSES}_count{app="x"}`)!;
  t.ok(before > 0 && before <= count && count <= after, `${before} to ${after}: ${count}`);
  t.ok(
    families.get('my_nodejs_memstats_alloc_bytes')!.samples.has('my_nodejs_memstats_alloc_bytes{app="x"}'),
  );
});

t.test('the default registry, beside the default metrics', async (t) => {
  client.collectDefaultMetrics();
  memprofMetrics();
  const families = await scrape(client.register);
  t.ok(families.has('nodejs_heap_size_used_bytes') && families.has('nodejs_memstats_alloc_bytes'));
  t.throws(() => memprofMetrics(), /already been registered/, 'not twice');
  client.register.clear();
});

t.test('an estimate that falls by a little stays, one that was forgotten starts again', async (t) => {
  const rising = new Rising();
  t.same(
    [5, 100, 99, 60, 101, 40, 41].map((value) => rising.next(value)),
    [5, 100, 100, 100, 101, 40, 41],
  );
});

t.test('the prom-client that was passed in is used', async (t) => {
  const made: string[] = [];
  class Counter<T extends string> extends client.Counter<T> {
    constructor(config: client.CounterConfiguration<T>) {
      super(config);
      made.push(config.name);
    }
  }
  memprofMetrics({ register: new client.Registry(), client: { ...client, Counter } });
  t.ok(made.includes('nodejs_memstats_frees_total'));
});

t.test('errors', async (t) => {
  const invalid = { code: 'ERR_MEMPROF_INVALID_ARG_TYPE', name: 'TypeError' };
  t.throws(() => memprofMetrics(7 as never), invalid);
  t.throws(() => memprofMetrics({ prefix: 7 as never }), invalid);
  t.throws(() => memprofMetrics({ labels: 7 as never }), invalid);
  t.throws(() => memprofMetrics({ gcPauseBuckets: 7 as never }), invalid);

  // Without prom-client: the module itself loads, and says what it needs.
  const program = `const Module = require('node:module');
    const resolve = Module._resolveFilename;
    Module._resolveFilename = (name, ...rest) => {
      if (name === 'prom-client') throw Object.assign(new Error('none'), { code: 'MODULE_NOT_FOUND' });
      return resolve(name, ...rest);
    };
    const { memprofMetrics } = require('./dist/prometheus.js');
    try { memprofMetrics(); } catch ({ code, message }) { console.log(code, message); }`;
  const [command, ...args] = plainNode;
  const { stdout, stderr } = spawnSync(command, [...args, '-e', program], {
    cwd: path.resolve(root),
    encoding: 'utf8',
  });
  t.match(stdout, /^ERR_MEMPROF_NO_PROM_CLIENT memprof\/prometheus needs prom-client: install it/);
  t.equal(stderr, '');
});

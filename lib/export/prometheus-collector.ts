// Imports only types: prom-client is loaded when it is needed, unless the program passes it in.
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { completeOptions } from '../base/check-options.js';
import { memprofError } from '../base/errors.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { status } from '../sampler/status.js';
import { PauseHistory } from './pause-history.js';
import { METRICS, type Snapshot } from './prometheus-metrics.js';
import { Rising } from './rising.js';

/** The parts of the module `prom-client` that memprof uses. */
export interface PromClient {
  Counter: typeof Counter;
  Gauge: typeof Gauge;
  Histogram: typeof Histogram;
}

/** Options of `memprofMetrics`, named as those of prom-client's `collectDefaultMetrics`. */
export interface MemprofMetricsOptions {
  /** The registry in which to register the metrics. Default: prom-client's own registry, `register`. */
  register?: Registry;
  /** A prefix for the name of every metric. Default ''. */
  prefix?: string;
  /** Labels that every metric gets. Default none. */
  labels?: Readonly<Record<string, string | number>>;
  /** Upper bounds of the pause histogram's buckets, in seconds, in ascending order. Default 0.00025 … 1. */
  gcPauseBuckets?: readonly number[];
  /**
   * The `prom-client` module of the program, for when `require('prom-client')` in memprof would find none, or another
   * copy.
   */
  client?: PromClient;
}

const PAUSE_BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/**
 * Registers metrics with prom-client. Their values are read at each scrape:
 *
 * - `nodejs_memstats_*`: `readMemStats()` of the process under the names of Go's `go_memstats_*`, in bytes, seconds or
 *   counts. `lookups`, `mspan` and `mcache` are left out, because V8 has no counterpart.
 * - `nodejs_memstats_gc_pause_seconds`: a histogram of the pauses of garbage collections since memprof was loaded, each
 *   counted once. A scrape sees at most the last 256 pauses. If there were more since the previous scrape, the older
 *   ones are missing from the histogram and counted in `nodejs_memstats_gc_pauses_missed_total`; the counters
 *   `…_pause_seconds_total` include all of them.
 * - `memprof_*`: the profiler's own health, from `status()`.
 *
 * This does not start the profiler. Counters only fall when `start({ reset: true })` forgets all records.
 *
 * Throws
 * - `TypeError` (`ERR_MEMPROF_INVALID_ARG_TYPE`) for wrong options,
 * - `ERR_MEMPROF_NO_PROM_CLIENT` if prom-client is not installed and `client` is not given,
 * - `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js,
 * - prom-client's own errors: names that are registered already, labels and buckets it does not accept.
 */
export function memprofMetrics(options?: MemprofMetricsOptions): void {
  const {
    register,
    prefix,
    labels = {},
    gcPauseBuckets = PAUSE_BUCKETS,
    client,
  } = completeOptions<MemprofMetricsOptions, MemprofMetricsOptions & { prefix: string }>(
    'memprofMetrics',
    options,
  );
  const { Counter, Gauge, Histogram } = client ?? loadPromClient();
  const common = {
    labelNames: Object.keys(labels),
    ...(register !== undefined && { registers: [register] }),
  };

  const pauses = new PauseHistory();
  const histogram = new Histogram({
    ...common,
    name: `${prefix}nodejs_memstats_gc_pause_seconds`,
    help: 'Pauses of garbage collections, minor and major, of all threads.',
    buckets: [...gcPauseBuckets],
    collect: () => void snapshot(),
  });
  const read = (): Snapshot => {
    const stats = readMemStats();
    // The history returns each pause only once, so record it whichever metric is read first.
    for (const pause of pauses.take(stats)) histogram.observe(labels, pause / 1e9);
    return { stats, status: status(), missedPauses: pauses.missed, rss: process.memoryUsage.rss() };
  };
  const snapshot = onceAScrape(read);
  read();

  for (const definition of METRICS) {
    const { help, aggregator } = definition;
    const config = { ...common, name: prefix + definition.name, help, aggregator };
    if (definition.type === 'gauge') {
      new Gauge({
        ...config,
        collect() {
          this.set(labels, definition.value(snapshot()));
        },
      });
    } else {
      const rising = new Rising();
      new Counter({
        ...config,
        collect() {
          this.reset();
          this.inc(labels, rising.next(definition.value(snapshot())));
        },
      });
    }
  }
}

function loadPromClient(): PromClient {
  try {
    return require('prom-client') as PromClient;
  } catch (cause) {
    throw memprofError(
      'ERR_MEMPROF_NO_PROM_CLIENT',
      'memprof/prometheus needs prom-client: install it, or pass it as options.client',
      cause,
    );
  }
}

/**
 * Reads the figures once per scrape, so that all metrics show the same moment. A registry calls all collectors before any
 * microtask runs, so the value is kept until then.
 */
function onceAScrape<T>(read: () => T): () => T {
  let kept: { value: T } | undefined;
  return () => {
    if (kept === undefined) {
      kept = { value: read() };
      queueMicrotask(() => {
        kept = undefined;
      });
    }
    return kept.value;
  };
}

// No import but of types: prom-client is loaded when it is needed and was not handed in.
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { completeOptions } from '../base/check-options.js';
import { memprofError } from '../base/errors.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { status } from '../sampler/status.js';
import { PauseHistory } from './pause-history.js';
import { METRICS, type Snapshot } from './prometheus-metrics.js';
import { Rising } from './rising.js';

/** The part of the module `prom-client` that is used. */
export interface PromClient {
  Counter: typeof Counter;
  Gauge: typeof Gauge;
  Histogram: typeof Histogram;
}

/** As those of prom-client's `collectDefaultMetrics`. */
export interface MemprofMetricsOptions {
  /** Where to register. Default: prom-client's own registry, `register`. */
  register?: Registry;
  /** In front of every name. Default ''. */
  prefix?: string;
  /** Labels of every metric. Default none. */
  labels?: Readonly<Record<string, string | number>>;
  /** Upper bounds of the pause histogram's buckets, in seconds, rising. Default 0.00025 … 1. */
  gcPauseBuckets?: readonly number[];
  /**
   * The module, where `require('prom-client')` from memprof would find none or another one than the program's.
   */
  client?: PromClient;
}

const PAUSE_BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/**
 * Registers metrics with prom-client whose values are read when they are scraped:
 *
 * - `nodejs_memstats_*`: `readMemStats()` of the process, named as Go's `go_memstats_*`; bytes, seconds, counts.
 *   `lookups`, `mspan` and `mcache`, which V8 has no counterpart of, are left out.
 * - `nodejs_memstats_gc_pause_seconds`: a histogram of the pauses of garbage collections since memprof was loaded, each
 *   counted once. At most the last 256 are known at a scrape: if more came since the one before, the rest are missing
 *   in the histogram and counted in `nodejs_memstats_gc_pauses_missed_total`; the `…_pause_seconds_total` have all.
 * - `memprof_*`: the profiler's own health, from `status()`.
 *
 * The profiler is not started by this. Counters never fall but where `start({ reset: true })` forgets all records.
 *
 * Throws
 * - `TypeError` (`ERR_MEMPROF_INVALID_ARG_TYPE`) for options,
 * - `ERR_MEMPROF_NO_PROM_CLIENT` if prom-client is not installed and `client` not given,
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
    // Whichever metric is asked first: what the history gives out once must not be lost for the histogram.
    for (const pause of pauses.take(stats)) histogram.observe(labels, pause / 1e9);
    return { stats, status: status(), missedPauses: pauses.missed };
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
      'memprof/prometheus needs prom-client: install it, or hand it in as options.client',
      cause,
    );
  }
}

/** A registry asks all its metrics before any of them can go on: they show one moment, and it is read once. */
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

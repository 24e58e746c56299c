import type { MemStats } from '../profile/public-types.js';
import { profiledThreads, type Status } from '../sampler/status.js';

/** The figures of one scrape. */
export interface Snapshot {
  stats: MemStats;
  status: Status;
  /** See `PauseHistory`. */
  missedPauses: number;
  /** Resident bytes of the process. */
  rss: number;
}

export interface MetricDefinition {
  name: string;
  help: string;
  type: 'gauge' | 'counter';
  /** How prom-client combines the values of the processes of a cluster. */
  aggregator: 'sum' | 'max' | 'average';
  value(snapshot: Snapshot): number;
}

type Value = MetricDefinition['value'];

function gauge(
  name: string,
  help: string,
  value: Value,
  aggregator: MetricDefinition['aggregator'] = 'sum',
): MetricDefinition {
  return { name, help, type: 'gauge', aggregator, value };
}

function counter(name: string, help: string, value: Value): MetricDefinition {
  return { name, help, type: 'counter', aggregator: 'sum', value };
}

const seconds = (nanoseconds: number) => nanoseconds / 1e9;

/** Go's `go_memstats_*` under the prefix `nodejs_memstats_`, without those that have no counterpart in V8. */
const memStats = [
  gauge('alloc_bytes', 'Number of bytes allocated in heap and currently in use.', ({ stats }) => stats.alloc),
  counter(
    'alloc_bytes_total',
    'Total number of bytes allocated in heap until now, even if released already.',
    ({ stats }) => stats.totalAlloc,
  ),
  gauge('sys_bytes', 'Number of bytes obtained from system.', ({ stats }) => stats.sys),
  counter(
    'mallocs_total',
    'Total number of heap objects allocated, both live and gc-ed: an estimate from samples.',
    ({ stats }) => stats.mallocs,
  ),
  counter(
    'frees_total',
    'Total number of heap objects freed: an estimate from samples.',
    ({ stats }) => stats.frees,
  ),
  gauge(
    'heap_alloc_bytes',
    'Number of heap bytes allocated and currently in use, same as alloc_bytes.',
    ({ stats }) => stats.heapAlloc,
  ),
  gauge('heap_sys_bytes', 'Number of heap bytes obtained from system.', ({ stats }) => stats.heapSys),
  gauge('heap_idle_bytes', 'Number of heap bytes waiting to be used.', ({ stats }) => stats.heapIdle),
  gauge('heap_inuse_bytes', 'Number of heap bytes that are in use.', ({ stats }) => stats.heapInuse),
  gauge('heap_released_bytes', 'Number of heap bytes released to OS.', ({ stats }) => stats.heapReleased),
  gauge(
    'heap_objects',
    'Number of currently allocated objects: an estimate from samples.',
    ({ stats }) => stats.heapObjects,
  ),
  gauge(
    'stack_inuse_bytes',
    'Number of bytes of the threads’ stacks in use.',
    ({ stats }) => stats.stackInuse,
  ),
  gauge('stack_sys_bytes', 'Number of bytes obtained from system for stacks.', ({ stats }) => stats.stackSys),
  gauge(
    'buck_hash_sys_bytes',
    'Number of bytes used by the tables of the profiler.',
    ({ stats }) => stats.buckHashSys,
  ),
  gauge('gc_sys_bytes', 'Number of bytes V8 uses outside its heap.', ({ stats }) => stats.gcSys),
  gauge(
    'other_sys_bytes',
    'Number of bytes of external memory, Buffers included.',
    ({ stats }) => stats.otherSys,
  ),
  gauge('next_gc_bytes', 'Limit on the heap: V8 does not tell its next target.', ({ stats }) => stats.nextGC),
  gauge(
    'last_gc_time_seconds',
    'Number of seconds since 1970 of last garbage collection.',
    ({ stats }) => seconds(stats.lastGC),
    'max',
  ),
  gauge(
    'gc_cpu_fraction',
    'The fraction of the threads’ time spent in pauses of garbage collections since the program started.',
    ({ stats }) => stats.gcCPUFraction,
    'average',
  ),
  counter('gc_minor_total', 'Number of minor garbage collections.', ({ stats }) => stats.numMinorGC),
  counter('gc_major_total', 'Number of major garbage collections.', ({ stats }) => stats.numMajorGC),
  counter('gc_forced_total', 'Number of forced garbage collections.', ({ stats }) => stats.numForcedGC),
  counter(
    'gc_minor_pause_seconds_total',
    'Time in pauses of minor garbage collections: of all, seen in the histogram or not.',
    ({ stats }) => seconds(stats.pauseMinorTotalNs),
  ),
  counter(
    'gc_major_pause_seconds_total',
    'Time in pauses of major garbage collections: of all, seen in the histogram or not.',
    ({ stats }) => seconds(stats.pauseMajorTotalNs),
  ),
  counter(
    'gc_pauses_missed_total',
    'Pauses that the histogram lacks, since more than 256 came between two scrapes.',
    ({ missedPauses }) => missedPauses,
  ),
];

/** What of the resident memory can be told at every scrape; `memoryBreakdown()` tells more, but takes its time. */
const memory = [
  gauge('rss_bytes', 'Resident memory of the process.', ({ rss }) => rss),
  gauge(
    'array_buffers_bytes',
    'Memory of Buffers and ArrayBuffers: of all threads whose buffers are profiled, else of the scraped thread.',
    ({ stats }) => stats.arrayBuffers,
  ),
  gauge(
    'rss_elsewhere_bytes',
    'Resident memory outside of V8’s heaps, external memory and memprof: native memory, what malloc keeps free, stacks, the program.',
    ({ rss, stats }) =>
      Math.max(0, rss - (stats.heapSys - stats.heapReleased) - stats.external - stats.buckHashSys),
  ),
];

/** The profiler's own health, under the prefix `memprof_`. */
const health = [
  gauge(
    'running_threads',
    'Number of threads that are profiled.',
    ({ status }) => profiledThreads(status).length,
  ),
  gauge(
    'sample_interval_bytes',
    'Mean bytes between two samples; 0 before the first start.',
    ({ status }) => status.heap.sampleInterval,
    'max',
  ),
  gauge(
    'overhead_ratio',
    'CPU time of memprof on the threads it profiles, as a share of the time profiled.',
    ({ status }) => status.overhead.total,
    'average',
  ),
  gauge(
    'overhead_last_minute_ratio',
    'The same in the last minute.',
    ({ status }) => status.overhead.lastMinute,
    'average',
  ),
  gauge(
    'max_harvest_seconds',
    'The most CPU time that memprof added to the pause of a garbage collection.',
    ({ status }) => seconds(status.heap.longestPauseNs),
    'max',
  ),
  gauge(
    'figures_age_seconds',
    'Time since the garbage collection that the figures of the scraped thread describe.',
    ({ status }) => seconds(status.heap.figuresAgeNs),
    'max',
  ),
  counter('harvests_total', 'How often samples were read.', ({ status }) => status.heap.harvests),
  counter(
    'skipped_gcs_total',
    'Garbage collections that went by unread to keep the overhead within its limit.',
    ({ status }) => status.heap.skippedCollections,
  ),
  counter('samples_seen_total', 'Samples met.', ({ status }) => status.heap.samplesSeen),
  counter(
    'samples_lost_total',
    'Samples that were gone before they could be read.',
    ({ status }) => status.heap.samplesLost,
  ),
  counter(
    'samples_imputed_total',
    'Lost samples that were given to the stacks they most likely belong to.',
    ({ status }) => status.heap.samplesImputed,
  ),
  gauge('table_bytes', 'Memory of the tables in use.', ({ status }) => status.tables.usedBytes),
  gauge('max_table_bytes', 'Limit on the memory of the tables.', ({ status }) => status.tables.maxBytes),
  counter(
    'cut_stacks_total',
    'Stacks cut to their leaf frames, because the tables are full.',
    ({ status }) => status.tables.cutStacks,
  ),
  counter(
    'overflow_samples_total',
    'Samples counted as (overflow), because the tables are full.',
    ({ status }) => status.tables.overflowSamples,
  ),
  counter(
    'displaced_total',
    'How often somebody else stopped V8’s sampler behind memprof’s back.',
    ({ status }) => status.heap.displaced,
  ),
];

const withPrefix = (prefix: string, metrics: readonly MetricDefinition[]) =>
  metrics.map((metric) => ({ ...metric, name: prefix + metric.name }));

export const METRICS: readonly MetricDefinition[] = [
  ...withPrefix('nodejs_memstats_', memStats),
  ...withPrefix('memprof_memory_', memory),
  ...withPrefix('memprof_', health),
];

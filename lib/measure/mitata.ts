import { invalidType } from '../base/errors.js';
import { checkMeasureOptions, measure } from './measure.js';
import type { Measurement, MeasureOptions } from './types.js';

/** What is used of the module `mitata`. */
export interface MitataModule {
  /** Adds a benchmark. */
  // biome-ignore lint/suspicious/noExplicitAny: the types of another package
  bench(...args: any[]): any;
  /** Runs all benchmarks, and prints. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  run(...args: any[]): Promise<any>;
}

interface Trial {
  runs: { stats?: MitataStats; args: Record<string, unknown> }[];
}

interface MitataStats {
  kind: string;
  heap?: { _: number; avg: number; min: number; max: number; total: number };
  memory?: Measurement;
}

interface Benchmark {
  f: (...args: never[]) => unknown;
  run(thrw?: boolean): Promise<Trial>;
}

/**
 * The functions of mitata 1, with a `bench` whose benchmarks are also measured, each after mitata has timed it: the
 * bytes that mitata prints (`stats.heap`) are exact then, and results have all figures as `stats.memory`.
 *
 * For plain functions, and generators that yield one. What takes an iterator, or yields parameters, keeps mitata's own
 * figures: growth of the heap that includes mitata's. A benchmark that fails to be measured fails as others do.
 */
export function withMitata<Mitata extends MitataModule>(mitata: Mitata, options?: MeasureOptions): Mitata {
  if (typeof mitata?.bench !== 'function' || typeof mitata.run !== 'function') {
    throw invalidType('mitata', 'the module mitata', mitata);
  }
  const checked = checkMeasureOptions(options);
  const bench = (...args: unknown[]) => {
    const benchmark = mitata.bench(...args) as Benchmark;
    const run = benchmark.run.bind(benchmark);
    benchmark.run = async (thrw) => {
      const trial = await run(thrw);
      for (const each of trial.runs) {
        if (each.stats !== undefined) await addMemory(each.stats, benchmark.f, each.args, checked);
      }
      return trial;
    };
    return benchmark;
  };
  return { ...mitata, bench };
}

async function addMemory(
  stats: MitataStats,
  fn: Benchmark['f'],
  args: Record<string, unknown>,
  options: MeasureOptions,
): Promise<void> {
  const memory = await measureKind(stats.kind, fn, args, options);
  if (memory === undefined) return;
  const { bytesPerOp: avg, spread, meteredCalls } = memory;
  stats.memory = memory;
  stats.heap = { _: meteredCalls, avg, ...spread.bytesPerOp, total: avg * meteredCalls };
}

async function measureKind(
  kind: string,
  fn: Benchmark['f'],
  args: Record<string, unknown>,
  options: MeasureOptions,
): Promise<Measurement | undefined> {
  if (kind === 'fn') return measure(fn as () => unknown, options);
  if (kind !== 'yield') return undefined;
  const state = { get: (name: string) => args[name] };
  const generator = (fn as unknown as (state: object) => AsyncGenerator | Generator)(state);
  const { value } = await generator.next();
  try {
    return typeof value === 'function' && value.length === 0
      ? await measure(value as () => unknown, options)
      : undefined;
  } finally {
    await generator.next();
  }
}

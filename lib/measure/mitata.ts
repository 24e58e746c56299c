import { invalidType } from '../base/errors.js';
import { checkMeasureOptions, measure } from './measure.js';
import type { Measurement, MeasureOptions } from './types.js';

/** The parts of the module `mitata` that memprof uses. */
export interface MitataModule {
  /** Adds a benchmark. */
  // biome-ignore lint/suspicious/noExplicitAny: the types of another package
  bench(...args: any[]): any;
  /** Runs all benchmarks and prints the results. */
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
 * Returns the functions of mitata 1 with another `bench`: after mitata has timed a benchmark, memprof measures it. The bytes
 * that mitata prints (`stats.heap`) are then exact, and results have all figures as `stats.memory`.
 *
 * This works for plain functions, and for generators that yield one. Benchmarks that take an iterator or yield parameters
 * keep mitata's own figures: the growth of the heap, which includes what mitata allocates. If the measurement of a
 * benchmark fails, the benchmark fails.
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

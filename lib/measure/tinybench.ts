import { invalidType } from '../base/errors.js';
import { checkMeasureOptions, measure } from './measure.js';
import type { Measurement, MeasureOptions } from './types.js';

/** The parts of tinybench's `Task` that memprof uses. */
export interface TinybenchTask {
  readonly name: string;
  readonly result: { readonly state: string };
}

/** The parts of tinybench's `Bench` that memprof uses. */
export interface TinybenchBench {
  readonly tasks: readonly TinybenchTask[];
  /** Adds a task, which memprof also measures. */
  // biome-ignore lint/suspicious/noExplicitAny: the types of another package, of more than one version
  add(name: string, fn: (...args: any[]) => unknown, options?: any): unknown;
  /** The task of that name. */
  getTask(name: string): TinybenchTask | undefined;
  /** Runs all tasks, then measures what they allocate. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  run(): Promise<any>;
  /** Like `run`, for tasks that are not async. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  runSync(): any;
  /** A row for each task. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  table(convert?: any): unknown[];
}

interface Hooks {
  beforeAll?(mode: string): unknown;
  afterAll?(mode: string): unknown;
  beforeEach?: unknown;
  afterEach?: unknown;
}

interface Known {
  fn: () => unknown;
  hooks: Hooks;
}

/**
 * Adds bytes and allocations to a `Bench` of tinybench 6. Call it before tasks are added. After `run()` or `runSync()` has
 * timed the tasks, each completed task is measured separately, which does not affect tinybench's times. `table()` then
 * has the columns `Bytes/op`, `Allocs/op` and `GC/1000 ops`, and `task.result` and `bench.results` have the measurement
 * as `memory`. Returns the same `Bench`.
 *
 * `beforeAll` and `afterAll` are called around each measurement. Tasks with `beforeEach` or `afterEach` are not measured,
 * because these hooks would count too; nor are tasks that were added earlier. With `runSync()`, tasks must not be async.
 *
 * `run()` rejects with the errors of `measure`.
 */
export function withTinybench<Bench extends TinybenchBench>(bench: Bench, options?: MeasureOptions): Bench {
  if (typeof bench?.add !== 'function' || typeof bench.table !== 'function') {
    throw invalidType('bench', 'a Bench of tinybench', bench);
  }
  const checked = checkMeasureOptions(options);
  const known = new WeakMap<TinybenchTask, Known>();
  const { add, run, runSync, table } = bench;

  return Object.assign(bench, {
    add(name: string, fn: () => unknown, hooks: Hooks = {}) {
      add.call(bench, name, fn, hooks);
      const task = bench.getTask(name)!;
      known.set(task, { fn: fn.bind(task), hooks });
      return bench;
    },
    async run() {
      const done = await run.call(bench);
      for (const { task, fn, hooks } of toMeasure()) {
        await hooks.beforeAll?.call(task, 'run');
        keep(task, await measure(fn, checked));
        await hooks.afterAll?.call(task, 'run');
      }
      return done;
    },
    runSync() {
      const done = runSync.call(bench);
      for (const { task, fn, hooks } of toMeasure()) {
        hooks.beforeAll?.call(task, 'run');
        keep(task, measure(fn, checked) as Measurement);
        hooks.afterAll?.call(task, 'run');
      }
      return done;
    },
    table(convert?: unknown) {
      const rows = table.call(bench, convert) as Record<string, unknown>[];
      return rows.map((row, i) => ({ ...row, ...columns(bench.tasks[i]!) }));
    },
  });

  function toMeasure(): (Known & { task: TinybenchTask })[] {
    return bench.tasks.flatMap((task) => {
      const found = known.get(task);
      if (found === undefined || found.hooks.beforeEach || found.hooks.afterEach) return [];
      return task.result.state === 'completed' ? [{ task, ...found }] : [];
    });
  }
}

/** Adds the measurement to the task's result by an own property that hides the getter of tinybench's class. */
function keep(task: TinybenchTask, memory: Measurement): void {
  const getter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(task), 'result')!.get!;
  Object.defineProperty(task, 'result', {
    configurable: true,
    get: () => {
      const result = getter.call(task);
      return result.state === 'completed' ? { ...result, memory } : result;
    },
  });
}

function columns(task: TinybenchTask): Record<string, number> {
  const memory = (task.result as { memory?: Measurement }).memory;
  if (memory === undefined) return {};
  return {
    'Bytes/op': rounded(memory.bytesPerOp),
    'Allocs/op': rounded(memory.allocsPerOp),
    'GC/1000 ops': rounded(memory.gcPerOp * 1000),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

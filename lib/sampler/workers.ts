import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import type { Worker, WorkerOptions } from 'node:worker_threads';

const workerPreload = path.join(__dirname, '..', 'launch', 'worker-preload.js');

// Workers of this thread that run, by id: the program's, and memprof's own.
const alive = new Set<number>();
const own = new Set<number>();
let makingOwn = false;

interface Threads {
  exported: { Worker: typeof Worker };
  /** memprof's own are made by the class as it was before we wrapped it, and are not to be profiled. */
  PlainWorker: typeof Worker;
}

let known: Threads | undefined;

// Without base/lazily.ts: this module is loaded at every start, and each further one takes time.
function threads(): Threads {
  if (known === undefined) {
    const exported = require('node:worker_threads') as Threads['exported'];
    known = { exported, PlainWorker: exported.Worker };
  }
  return known;
}

/**
 * A worker that serves memprof and is no part of the program. With `execArgv`, Node.js reads NODE_OPTIONS anew for the
 * worker: a module that is to be loaded first, and makes such a worker itself, would do so without end.
 */
export function ownWorker(file: string, options: WorkerOptions): Worker {
  makingOwn = true;
  try {
    const { PlainWorker } = threads();
    const { NODE_OPTIONS: _, ...env } = process.env;
    // What it prints (Node's warnings) must not go through the program's streams.
    return new PlainWorker(file, { ...options, execArgv: [], env, stdin: false, stdout: true, stderr: true });
  } finally {
    makingOwn = false;
  }
}

process.on('worker', (worker: Worker) => {
  const workers = makingOwn ? own : alive;
  const id = worker.threadId;
  workers.add(id);
  worker.once('exit', () => workers.delete(id));
});

/** Whether this thread made it to serve memprof. */
export function isOwnWorker(id: number): boolean {
  return own.has(id);
}

/** Ids of this thread's running workers that are not among these. */
export function workersWithout(known: ReadonlySet<number>): number[] {
  return [...alive].filter((id) => !known.has(id));
}

/** Flags that Node.js refused, from its message. */
function refusedFlags(error: unknown): string[] {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV' || typeof message !== 'string') return [];
  return message
    .slice(message.indexOf(':') + 1)
    .split(',')
    .map((flag) => flag.trim());
}

/**
 * A worker that loads memprof first. Node.js takes the parent's `execArgv` as it is when none is given, but refuses
 * some of the same flags when they are given: those are dropped, V8's hold for the whole process anyway. If the worker cannot be
 * made so, it is made as was asked.
 */
function construct(
  target: typeof Worker,
  args: [string | URL, WorkerOptions?],
  newTarget: new (...args: unknown[]) => object,
): object {
  const make = (options: WorkerOptions | undefined) =>
    Reflect.construct(target, [args[0], options], newTarget);
  const options = args[1];
  const asked = Array.isArray(options?.execArgv) ? options.execArgv : process.execArgv;
  const covered = (flags: readonly string[]) =>
    make({ ...options, execArgv: [...flags, '--require', workerPreload] });
  try {
    return covered(asked);
  } catch (error) {
    const refused = refusedFlags(error);
    // Flags that the program asked for are its own affair: it gets the error it would have got.
    if (refused.length === 0 || asked !== process.execArgv) return make(options);
    try {
      return covered(asked.filter((flag) => !refused.includes(flag)));
    } catch {
      return make(options);
    }
  }
}

let original: typeof Worker | undefined;
let wrapped: typeof Worker | undefined;

/** Every worker made through `worker_threads.Worker` from here on is profiled. */
export function wrapWorkers(): void {
  if (original !== undefined) return;
  const { exported } = threads();
  original = exported.Worker;
  wrapped = new Proxy(original, {
    construct: construct as NonNullable<ProxyHandler<typeof Worker>['construct']>,
  });
  exported.Worker = wrapped;
  syncBuiltinESMExports();
}

/** Undoes `wrapWorkers`, unless somebody wrapped the class again since. */
export function unwrapWorkers(): void {
  if (original === undefined) return;
  const { exported } = threads();
  if (exported.Worker !== wrapped) return;
  exported.Worker = original;
  original = undefined;
  wrapped = undefined;
  syncBuiltinESMExports();
}

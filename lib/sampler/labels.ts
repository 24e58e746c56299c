import { AsyncLocalStorage } from 'node:async_hooks';
import { native } from '../addon/native.js';
import { invalidType, outOfRange } from '../base/errors.js';

/** Labels of samples: texts by key. */
export type SampleLabels = Readonly<Record<string, string>>;

/** Labels of the calling thread's samples, see `withLabels`. */
export interface LabelStatus {
  /** Whether samples of the heap get labels, in the calling thread. */
  heap: boolean;
  /** Whether sampled buffers get labels, in the calling thread. */
  buffers: boolean;
  /** Why samples get no labels although the program has set some; else null. */
  problem: string | null;
}

/** The value of all labels that come after `LabelSets::kMostSets` different sets. */
const OTHER = '(other)';
/** Keys that samples have already. */
const RESERVED: ReadonlySet<string> = new Set(['thread', 'bytes']);
/** Every so many calls, what samples read is compared with what the context holds. */
const PROVE_EVERY = 1024;
const MOST_KNOWN = 4096;

const NO_BINARY = 'memprof has no binary for this Node.js';

// A sample reads the store of the context that runs, a number, from V8's memory: nothing else can be read there. See
// native/heap/async_labels.h.
const storage = new AsyncLocalStorage<number>();
/** Numbers of sets that were asked for before, by the number of the outer set and the labels. */
const known = new Map<string, number>();
let calls = 0;
let problem: string | null | undefined;

/** See lib/index.ts. */
export function withLabels<T>(labels: SampleLabels, fn: () => T): T {
  const number = numberOf(labels);
  if (typeof fn !== 'function') throw invalidType('fn', 'a function', fn);
  return storage.run(number, () => {
    prove(number);
    return fn();
  });
}

/** See lib/index.ts. */
export function setLabels(labels: SampleLabels): void {
  const number = numberOf(labels);
  storage.enterWith(number);
  prove(number);
}

/** For `status()`: `direct` says whether samples of the heap are memprof's own. */
export function labelStatus(direct: boolean, ofBuffers: boolean): LabelStatus {
  const proved = problem === null;
  return {
    heap: proved && direct,
    buffers: proved && ofBuffers,
    problem: problem ?? (proved && !direct ? "labels of the heap's samples need directSamples" : null),
  };
}

function prove(number: number): void {
  if (number === 0 || (problem !== undefined && (problem !== null || calls++ % PROVE_EVERY !== 0))) return;
  try {
    problem = native().proveLabels(storage, number);
  } catch {
    problem = NO_BINARY;
  }
}

function numberOf(labels: SampleLabels): number {
  if (typeof labels !== 'object' || labels === null) throw invalidType('labels', 'an object', labels);
  const outer = storage.getStore() ?? 0;
  const name = `${outer} ${JSON.stringify(labels)}`;
  let number = known.get(name);
  if (number === undefined) {
    number = intern(outer, labels);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(name, number);
  }
  return number;
}

function intern(outer: number, labels: SampleLabels): number {
  check(labels);
  try {
    const { internLabels, labelsOf } = native();
    const texts = labelsOf(outer);
    const merged: Record<string, string> = {};
    for (let at = 0; at < texts.length; at += 2) merged[texts[at]!] = texts[at + 1]!;
    Object.assign(merged, labels);
    const keys = Object.keys(merged).sort();
    return (
      internLabels(
        keys.flatMap((key) => [key, merged[key]!]),
        false,
      ) ||
      internLabels(
        keys.flatMap((key) => [key, OTHER]),
        true,
      )
    );
  } catch {
    problem = NO_BINARY;
    return 0;
  }
}

function check(labels: SampleLabels): void {
  for (const [key, value] of Object.entries(labels)) {
    if (RESERVED.has(key))
      throw outOfRange('labels', `without the key '${key}', which memprof sets itself`, key);
    if (typeof value !== 'string') throw invalidType(`labels.${key}`, 'a string', value);
  }
}

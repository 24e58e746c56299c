import { type NativeRecords, native } from '../addon/native.js';
import { checkBoolean } from '../base/check.js';
import { invalidType } from '../base/errors.js';
import { lazily } from '../base/lazily.js';
import type { BucketRecord } from '../profile/delta.js';
import type { Frame, MemProfileRecord } from '../profile/public-types.js';
import type { StackAt } from './frames.js';

const frames = lazily(() => require('./frames.js') as typeof import('./frames.js'));

const OTHER_THREADS = 0xffffffff;

class SampledBucket implements BucketRecord {
  readonly #stack: number;
  readonly #sizeLimit: number;
  readonly #interval: number;
  readonly #stackAt: StackAt;
  readonly thread?: number;
  readonly labels?: Readonly<Record<string, string>>;

  constructor(
    readonly allocBytes: number,
    readonly freeBytes: number,
    readonly allocObjects: number,
    readonly freeObjects: number,
    stack: number,
    sizeLimit: number,
    thread: number,
    labels: number,
    interval: number,
    stackAt: StackAt,
  ) {
    this.#stack = stack;
    this.#sizeLimit = sizeLimit;
    this.#interval = interval;
    this.#stackAt = stackAt;
    if (labels !== 0) this.labels = labelsAt(labels);
    if (thread !== 0) this.thread = thread === OTHER_THREADS ? -1 : thread - 1;
  }

  stack(): readonly Readonly<Frame>[] {
    return this.#stackAt(this.#stack);
  }

  /**
   * A bucket is a stack, a size class, a sample interval, and perhaps a thread and labels. It has the same name at every
   * reading.
   */
  get bucket(): string {
    return `${this.#stack} ${this.#sizeLimit} ${this.#interval} ${this.thread ?? ''} ${this.labels === undefined ? '' : JSON.stringify(this.labels)}`;
  }

  inUseBytes(): number {
    return this.allocBytes - this.freeBytes;
  }

  inUseObjects(): number {
    return this.allocObjects - this.freeObjects;
  }
}

// There are hardly more than a thousand sets, and a number never gets another set.
const labelSets: Readonly<Record<string, string>>[] = [];

function labelsAt(number: number): Readonly<Record<string, string>> {
  let labels = labelSets[number];
  if (labels === undefined) {
    const texts = native().labelsOf(number);
    const read: Record<string, string> = {};
    for (let at = 0; at < texts.length; at += 2) read[texts[at]!] = texts[at + 1]!;
    labels = Object.freeze(read);
    labelSets[number] = labels;
  }
  return labels;
}

/** See lib/index.ts. */
export function MemProfile(
  records: MemProfileRecord[] | null,
  inuseZero: boolean,
): { n: number; ok: boolean } {
  if (records !== null && !Array.isArray(records)) {
    throw invalidType('records', 'an array or null', records);
  }
  checkBoolean(inuseZero, 'inuseZero');
  const room = records === null ? 0 : records.length;
  const n = native().countRecords(inuseZero, false);
  if (n > room || records === null) return { n, ok: n <= room };
  const read = readRecords(inuseZero);
  // Other threads may have added records since they were counted.
  if (read.length > room) return { n: read.length, ok: false };
  for (let i = 0; i < read.length; i++) records[i] = read[i]!;
  return { n: read.length, ok: true };
}

/** See lib/index.ts. */
export function readRecords(inuseZero: boolean): MemProfileRecord[] {
  checkBoolean(inuseZero, 'inuseZero');
  return recordsOf(native().readRecords(inuseZero, false), frames().heapStackAt);
}

/** The same, with those that have nothing in use, and what is known of lifetimes: see `NativeRecords`. */
export function readLifetimes(): { records: MemProfileRecord[]; promoted: Float64Array } {
  const read = native().readRecords(true, false, true);
  return { records: recordsOf(read, frames().heapStackAt), promoted: read.promoted! };
}

/** The records of buffers, likewise. */
export function readBufferRecords(inuseZero: boolean): MemProfileRecord[] {
  return recordsOf(native().readRecords(inuseZero, true), frames().bufferStackAt);
}

/** The records of an earlier moment: what was in use, and nothing that was freed. */
export function momentRecords(moment: NativeRecords, ofBuffers: boolean): MemProfileRecord[] {
  return recordsOf(moment, ofBuffers ? frames().bufferStackAt : frames().heapStackAt);
}

function recordsOf(
  { figures, stacks, sizeLimits, threads, labels, intervals }: NativeRecords,
  stackAt: StackAt,
): MemProfileRecord[] {
  const records = new Array<MemProfileRecord>(stacks.length);
  for (let i = 0, at = 0; i < stacks.length; i++, at += 4) {
    records[i] = new SampledBucket(
      figures[at]!,
      figures[at + 1]!,
      figures[at + 2]!,
      figures[at + 3]!,
      stacks[i]!,
      sizeLimits[i]!,
      threads[i]!,
      labels[i]!,
      intervals[i]!,
      stackAt,
    );
  }
  return records;
}

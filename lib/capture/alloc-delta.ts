import { type NativeRecords, native } from '../addon/native.js';
import type { Frame, MemProfileRecord } from '../profile/public-types.js';
import { heapStackAt } from '../sampler/frames.js';

/** In use: all there is. Allocated: since a read before. Freed is what that leaves. */
class DeltaRecord implements MemProfileRecord {
  readonly #stack: number;

  constructor(
    stack: number,
    readonly allocBytes: number,
    readonly allocObjects: number,
    readonly usedBytes: number,
    readonly usedObjects: number,
  ) {
    this.#stack = stack;
  }

  get freeBytes(): number {
    return this.allocBytes - this.usedBytes;
  }

  get freeObjects(): number {
    return this.allocObjects - this.usedObjects;
  }

  stack(): readonly Readonly<Frame>[] {
    return heapStackAt(this.#stack);
  }

  inUseBytes(): number {
    return this.usedBytes;
  }

  inUseObjects(): number {
    return this.usedObjects;
  }
}

export interface DeltaRead {
  /** Those with something in use, or allocated since the accepted read; threads are not told apart. */
  records: MemProfileRecord[];
  /** Makes this the read that the next one's allocations count from. */
  accept(): void;
}

/**
 * Reads what was allocated since the last read that was accepted. The difference is taken of sampled figures, a bucket
 * at a time, and so can be scaled up like any other record's.
 */
export class AllocDelta {
  #accepted = allocated(native().readRecords(true, false));

  read(): DeltaRead {
    const read = native().readRecords(true, false);
    const now = allocated(read);
    const records: MemProfileRecord[] = [];
    for (let i = 0; i < read.stacks.length; i++) {
      const [allocBytes, freeBytes, allocObjects, freeObjects] = read.figures.subarray(i * 4, i * 4 + 4);
      const before = this.#accepted.get(keyOf(read, i)) ?? NOTHING;
      // Records that were forgotten in between begin anew.
      const base = before.objects > allocObjects! ? NOTHING : before;
      const objects = allocObjects! - base.objects;
      const inUseObjects = allocObjects! - freeObjects!;
      if (objects === 0 && inUseObjects === 0) continue;
      records.push(
        new DeltaRecord(
          read.stacks[i]!,
          allocBytes! - base.bytes,
          objects,
          allocBytes! - freeBytes!,
          inUseObjects,
        ),
      );
    }
    return {
      records,
      accept: () => {
        this.#accepted = now;
      },
    };
  }
}

interface Allocated {
  bytes: number;
  objects: number;
}

const NOTHING: Allocated = { bytes: 0, objects: 0 };

/** A bucket is a stack, a size class, and perhaps a thread. */
function keyOf({ stacks, sizeLimits, threads }: NativeRecords, at: number): string {
  return `${stacks[at]} ${sizeLimits[at]} ${threads[at]}`;
}

function allocated(read: NativeRecords): Map<string, Allocated> {
  const byBucket = new Map<string, Allocated>();
  for (let i = 0; i < read.stacks.length; i++) {
    byBucket.set(keyOf(read, i), { bytes: read.figures[i * 4]!, objects: read.figures[i * 4 + 2]! });
  }
  return byBucket;
}

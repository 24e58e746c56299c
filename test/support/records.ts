import type { Frame, MemProfileRecord } from '#dist/profile/public-types.js';

export function frame(fields: Partial<Frame> = {}): Readonly<Frame> {
  return Object.freeze({
    functionName: 'work',
    fileName: '/app/main.js',
    lineNumber: 7,
    columnNumber: 3,
    address: 0x1000,
    ...fields,
  });
}

export interface Counts {
  allocObjects: number;
  allocBytes: number;
  /** Nothing is in use if they are left out. */
  inUseObjects?: number;
  inUseBytes?: number;
  thread?: number;
}

export function record(counts: Counts, stack: readonly Readonly<Frame>[] = [frame()]): MemProfileRecord {
  const { allocObjects, allocBytes, inUseObjects = 0, inUseBytes = 0, thread } = counts;
  return {
    allocObjects,
    allocBytes,
    freeObjects: allocObjects - inUseObjects,
    freeBytes: allocBytes - inUseBytes,
    ...(thread !== undefined && { thread }),
    stack: () => stack,
    inUseObjects: () => inUseObjects,
    inUseBytes: () => inUseBytes,
  };
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Records as a program has them: stacks that share frames, several sizes a stack, some wholly freed. */
export function someRecords(count: number, seed = 1): MemProfileRecord[] {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const frames = Array.from({ length: 40 }, (_, i) =>
    frame({
      functionName: ['(anonymous)', 'handle', `Store.get${i}`, 'f<T>(x)', '数据'][i % 5]!,
      fileName: ['/app/main.js', 'node:fs', '', '/app/with space/π.js'][i % 4]!,
      lineNumber: i % 7 === 0 ? 0 : 1 + i * 10,
      columnNumber: i % 7 === 0 ? 0 : 5,
      address: 0x1000_0000_0000 + i * 0x1_0001_0001,
    }),
  );
  const stacks = Array.from({ length: Math.ceil(count / 2) }, () =>
    Array.from({ length: 1 + below(30) }, () => frames[below(frames.length)]!),
  );
  return Array.from({ length: count }, (_, i) => {
    const size = 16 << below(12);
    const allocObjects = 1 + below(200);
    const inUseObjects = random() < 0.4 ? 0 : below(allocObjects + 1);
    return record(
      { allocObjects, allocBytes: allocObjects * size, inUseObjects, inUseBytes: inUseObjects * size },
      stacks[i % stacks.length]!,
    );
  });
}

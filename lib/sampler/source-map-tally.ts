let read = 0;
const leftOut = new Map<string, number>();

export function countMap(): void {
  read++;
}

export function countLeftOut(problem: string): void {
  leftOut.set(problem, (leftOut.get(problem) ?? 0) + 1);
}

/** Source maps that the calling thread had read for its profiles. */
export interface SourceMapStatus {
  /** How many were read. */
  read: number;
  /** How many were left out: frames of their files are shown as they are. */
  leftOut: number;
  /** Why they were, as `2 too large, 1 not found`; null if none was. */
  problem: string | null;
}

export function sourceMapStatus(): SourceMapStatus {
  let sum = 0;
  for (const count of leftOut.values()) sum += count;
  const parts = [...leftOut].map(([problem, count]) => `${count} ${problem}`);
  return { read, leftOut: sum, problem: parts.length === 0 ? null : parts.join(', ') };
}

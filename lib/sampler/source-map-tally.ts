let read = 0;
const leftOut = new Map<string, number>();

export function countMap(): void {
  read++;
}

export function countLeftOut(problem: string): void {
  leftOut.set(problem, (leftOut.get(problem) ?? 0) + 1);
}

export interface SourceMapStatus {
  sourceMaps: number;
  sourceMapsLeftOut: number;
  sourceMapsProblem: string | null;
}

export function sourceMapStatus(): SourceMapStatus {
  let sum = 0;
  for (const count of leftOut.values()) sum += count;
  const parts = [...leftOut].map(([problem, count]) => `${count} ${problem}`);
  return {
    sourceMaps: read,
    sourceMapsLeftOut: sum,
    sourceMapsProblem: parts.length === 0 ? null : parts.join(', '),
  };
}

// Recognises profiles that `go tool pprof` reads and memprof does not, because they are not of the heap.

const TEXTS: readonly [RegExp, string][] = [
  [/^--- (?:contentionz |contention:|mutex:)/, 'a contention profile'],
  [/^--- (?:threadz \d|Thread [0-9a-f]+ )/, 'a profile of threads'],
  [/^\S+ profile: total \d+$/, 'a count of goroutines or threads'],
];

/** What the text is that begins with this line. */
export function nameOtherText(firstLine: string): string | undefined {
  return TEXTS.find(([pattern]) => pattern.test(firstLine))?.[1];
}

/** Whether these are the first words of a CPU profile of gperftools: 0, 3, 0 (1 for Java), the period, 0. */
export function isCpuProfile(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const size of [4, 8]) {
    if (bytes.length < 5 * size) continue;
    for (const littleEndian of [true, false]) {
      const word = (at: number) =>
        size === 4 ? BigInt(view.getUint32(at * 4, littleEndian)) : view.getBigUint64(at * 8, littleEndian);
      if (word(0) === 0n && word(1) === 3n && word(2) <= 1n && word(3) > 0n && word(4) === 0n) return true;
    }
  }
  return false;
}

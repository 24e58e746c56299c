import type { Place } from './find-sources.js';

/** Whether a text is what V8 compiled, as far as places of functions tell. */
export type Verdict = 'same' | 'other' | 'unknown';

const LINE_END = /\r\n|[\n\r\u2028\u2029]/g;

/** Where these 1-based lines begin, as V8 counts them; of lines that are not there, nothing. */
function lineStarts(text: string, lines: ReadonlySet<number>): Map<number, number> {
  const starts = new Map<number, number>([[1, 0]]);
  const last = Math.max(1, ...lines);
  LINE_END.lastIndex = 0;
  for (let line = 2; line <= last; line++) {
    if (LINE_END.exec(text) === null) break;
    if (lines.has(line)) starts.set(line, LINE_END.lastIndex);
  }
  return starts;
}

/**
 * V8 counts characters from the beginning of a script to each function, as well as lines: in another text the line and
 * column of a function are at another character.
 */
export class CompiledText {
  readonly #starts: Map<number, number>;

  constructor(
    readonly text: string,
    places: readonly Place[],
  ) {
    this.#starts = lineStarts(text, new Set(places.flatMap(({ line, call }) => [line, call?.line ?? line])));
  }

  /** The text of a line from its beginning, and some of what follows it. */
  lineFrom(line: number, column: number): string {
    const start = this.#starts.get(line);
    return start === undefined ? '' : this.text.slice(start, start + column + 512);
  }

  compare(places: readonly Place[]): Verdict {
    const shifts = new Set<number>();
    const lines = new Set<number>();
    for (const { line, column, start } of places) {
      // The beginning of a script is at its beginning in any text.
      if (start < 0 || line < 1 || (line === 1 && column <= 1)) continue;
      const lineStart = this.#starts.get(line);
      if (lineStart === undefined) return 'other';
      shifts.add(start - (lineStart + column - 1));
      lines.add(line);
    }
    if (shifts.size > 1) return 'other';
    const [shift] = shifts;
    if (shift !== undefined) {
      if (shift === 0) return 'same';
      // Something was put before the first line, on that line: Node's old module wrapper, or jest's.
      return shift > 0 && lines.size > 1 && !lines.has(1) ? 'same' : 'other';
    }
    for (const { length } of places) {
      if (length >= 0) return length === this.text.length ? 'same' : 'other';
    }
    return 'unknown';
  }
}

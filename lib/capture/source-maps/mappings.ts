/**
 * The `mappings` of a source map: lines of generated code split by `;`, segments of a line split by `,`, numbers in base 64,
 * each but the column relative to the segment before it. They are read once from end to end, to note where every 256th
 * segment is and what it says; after that only the segments around a place are decoded.
 */

/** All 0-based. `source` is -1 where the segment names no place in a source, `name` where it has none. */
export interface Segment {
  line: number;
  column: number;
  source: number;
  sourceLine: number;
  sourceColumn: number;
  name: number;
}

/** Where segments are. Its arrays are shared memory, which goes from thread to thread without a copy. */
export interface Mappings {
  bytes: Uint8Array;
  /** Of each segment noted: the position behind it, its line and column, the running numbers, and its fields. */
  notes: Int32Array;
  /** Whether columns of each line ascend, as they do in nearly all maps. */
  ascending: boolean;
}

const EVERY = 256;
const NOTE = 8;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;

const DIGITS = new Int8Array(256).fill(-1);
for (const [value, digit] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
].entries()) {
  DIGITS[digit.charCodeAt(0)] = value;
}

class Decoder {
  at = 0;
  line = 0;
  column = 0;
  source = 0;
  sourceLine = 0;
  sourceColumn = 0;
  name = 0;
  fields = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** To the next segment; false at the end. Throws where there is none that can be read. */
  next(): boolean {
    const bytes = this.#bytes;
    for (; this.at < bytes.length; this.at++) {
      const byte = bytes[this.at];
      if (byte === SEMICOLON) {
        this.line++;
        this.column = 0;
      } else if (byte !== COMMA) {
        this.#read();
        return true;
      }
    }
    return false;
  }

  #read(): void {
    const bytes = this.#bytes;
    let fields = 0;
    let at = this.at;
    for (; at < bytes.length; ) {
      let byte = bytes[at]!;
      if (byte === COMMA || byte === SEMICOLON) break;
      let value = 0;
      for (let shift = 0; ; shift += 5) {
        const digit = at < bytes.length ? DIGITS[byte]! : -1;
        if (digit === -1 || shift > 30) throw new SyntaxError('these are no mappings');
        value += (digit & 31) * 2 ** shift;
        byte = bytes[++at]!;
        if (digit < 32) break;
      }
      const number = value % 2 === 1 ? -((value - 1) / 2) : value / 2;
      if (fields === 0) this.column += number;
      else if (fields === 1) this.source += number;
      else if (fields === 2) this.sourceLine += number;
      else if (fields === 3) this.sourceColumn += number;
      else if (fields === 4) this.name += number;
      fields++;
    }
    this.at = at;
    this.fields = fields;
  }

  note(into: number[]): void {
    into.push(
      this.at,
      this.line,
      this.column,
      this.source,
      this.sourceLine,
      this.sourceColumn,
      this.name,
      this.fields,
    );
  }

  resume(notes: Int32Array, index: number): void {
    const from = index * NOTE;
    this.at = notes[from]!;
    this.line = notes[from + 1]!;
    this.column = notes[from + 2]!;
    this.source = notes[from + 3]!;
    this.sourceLine = notes[from + 4]!;
    this.sourceColumn = notes[from + 5]!;
    this.name = notes[from + 6]!;
    this.fields = notes[from + 7]!;
  }

  segment(): Segment {
    return {
      line: this.line,
      column: this.column,
      source: this.fields >= 4 ? this.source : -1,
      sourceLine: this.sourceLine,
      sourceColumn: this.sourceColumn,
      name: this.fields >= 5 ? this.name : -1,
    };
  }
}

/** Takes the bytes over. Throws where they are no mappings. */
export function readMappings(bytes: Uint8Array): Mappings {
  const notes: number[] = [];
  const decoder = new Decoder(bytes);
  let ascending = true;
  let line = 0;
  let column = 0;
  for (let index = 0; decoder.next(); index++) {
    if (decoder.line === line && decoder.column < column) ascending = false;
    line = decoder.line;
    column = decoder.column;
    if (index % EVERY === 0) decoder.note(notes);
  }
  const shared = new Int32Array(new SharedArrayBuffer(notes.length * 4));
  shared.set(notes);
  return { bytes, notes: shared, ascending };
}

/** The segment of a line with the greatest column up to this one. Line and column are 0-based. */
export function segmentAt(
  { bytes, notes, ascending }: Mappings,
  line: number,
  column: number,
): Segment | undefined {
  const decoder = new Decoder(bytes);
  const from = lastNote(notes, line, ascending ? column : -1);
  if (from === -1) {
    if (!decoder.next()) return undefined;
  } else {
    decoder.resume(notes, from);
  }
  let found: Segment | undefined;
  do {
    if (decoder.line > line) break;
    if (decoder.line < line) continue;
    if (decoder.column > column) {
      if (ascending) break;
    } else if (found === undefined || decoder.column > found.column) {
      found = decoder.segment();
    }
  } while (decoder.next());
  return found;
}

/** The last note before that place: what is at its very column may have been there before. */
function lastNote(notes: Int32Array, line: number, column: number): number {
  let low = 0;
  let high = notes.length / NOTE;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const noted = notes[middle * NOTE + 1]!;
    if (noted < line || (noted === line && notes[middle * NOTE + 2]! < column)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

import { profileError } from '../../profile/limits.js';

/** The texts of a proto, each decoded when it is used for the first time. */
export class TextTable {
  readonly #buffer: Buffer;
  // Where they begin, until they are used.
  readonly #texts: (string | number)[] = [];
  readonly #ends: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get count(): number {
    return this.#texts.length;
  }

  add(start: number, end: number): void {
    this.#texts.push(start);
    this.#ends.push(end);
  }

  at(index: number): string {
    const text = this.#texts[index];
    if (text === undefined) {
      throw profileError(`not a valid proto: it refers to text ${index}, but has ${this.count}`);
    }
    if (typeof text === 'string') return text;
    const decoded = this.#buffer.toString('utf8', text, this.#ends[index]);
    this.#texts[index] = decoded;
    return decoded;
  }
}

import { LIMITS, profileError } from '../../profile/limits.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const MAX_SHOWN = 60;

/** More of a text, undefined at its end. */
export type Refill = () => Uint8Array | undefined;

/** The lines of a text, one at a time: a big one need not fit into a string, nor into memory. */
export class Lines {
  /** Number of the line that was read last, from 1. */
  number = 0;
  #buffer: Buffer;
  readonly #refill: Refill | undefined;
  #start = 0;
  #end = 0;
  #next = 0;

  /** `bytes` are the beginning, and all of it without `refill`. */
  constructor(bytes: Uint8Array, refill?: Refill) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refill = refill;
  }

  /** False at the end of the text. */
  next(): boolean {
    let newline = this.#buffer.indexOf(NEWLINE, this.#next);
    while (newline === -1 && this.#buffer.length - this.#next < LIMITS.lineBytes && this.#readMore()) {
      newline = this.#buffer.indexOf(NEWLINE, this.#next);
    }
    if (this.#next >= this.#buffer.length) {
      this.#start = this.#buffer.length;
      return false;
    }
    this.number++;
    this.#start = this.#next;
    this.#end = newline === -1 ? this.#buffer.length : newline;
    this.#next = this.#end + 1;
    if (this.#end - this.#start >= LIMITS.lineBytes) {
      throw this.error(`a line of less than ${LIMITS.lineBytes} bytes`);
    }
    if (this.#end > this.#start && this.#buffer[this.#end - 1] === RETURN) this.#end--;
    return true;
  }

  #readMore(): boolean {
    const more = this.#refill?.();
    if (more === undefined) return false;
    this.#buffer = Buffer.concat([this.#buffer.subarray(this.#next), more]);
    this.#next = 0;
    return true;
  }

  /** The line as bytes, each a character: faster, and the same for ASCII. */
  latin1(): string {
    return this.#buffer.toString('latin1', this.#start, this.#end).trim();
  }

  utf8(): string {
    return this.#buffer.toString('utf8', this.#start, this.#end).trim();
  }

  error(expected: string, cause?: unknown) {
    return profileError(`line ${this.number}: expected ${expected}, found ${this.#shown()}`, cause);
  }

  #shown(): string {
    if (this.number === 0 || this.#start >= this.#buffer.length) return 'the end';
    const end = Math.min(this.#end, this.#start + MAX_SHOWN);
    if (end === this.#start) return 'an empty line';
    const text = JSON.stringify(this.#buffer.toString('utf8', this.#start, end));
    const isWhole = text.length <= MAX_SHOWN && end === this.#end;
    return isWhole ? text : `${text.slice(0, MAX_SHOWN)}…`;
  }
}

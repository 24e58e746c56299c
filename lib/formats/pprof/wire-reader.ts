import { profileError } from '../../profile/limits.js';

/** Reads protobuf fields. Throws `ERR_MEMPROF_PROFILE` where a field is cut or malformed, as Go's reader does. */
export class WireReader {
  /** Of the field that was read last. */
  field = 0;
  wireType = 0;
  /** Where its bytes are (`wireType` 2). */
  start = 0;
  limit = 0;
  // Halves of the last integer: a double cannot hold 64 bits.
  #low = 0;
  #high = 0;
  #at = 0;
  #end: number;

  constructor(readonly bytes: Uint8Array) {
    this.#end = bytes.length;
  }

  /** Goes on with a part of the bytes: those of a message, or of packed integers. */
  enter(start: number, end: number): void {
    this.#at = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  get end(): number {
    return this.#end;
  }

  /** Where the next field begins. */
  get position(): number {
    return this.#at;
  }

  /** False at the end of the message. */
  nextField(): boolean {
    if (this.#at >= this.#end) return false;
    this.#varint();
    this.wireType = this.#low & 7;
    this.field = this.#high === 0 ? this.#low >>> 3 : 0;
    switch (this.wireType) {
      case 0:
        this.#varint();
        break;
      case 1:
        this.#skip(8);
        break;
      case 2:
        this.#varint();
        this.start = this.#at;
        this.#skip(this.unsigned());
        this.limit = this.#at;
        break;
      case 5:
        this.#skip(4);
        break;
      default:
        throw this.#error('a field of wire type 0, 1, 2 or 5', `one of type ${this.wireType}`);
    }
    return true;
  }

  /** The next of packed integers. */
  nextInteger(): void {
    this.#varint();
  }

  unsigned(): number {
    return this.#high * 2 ** 32 + this.#low;
  }

  signed(): number {
    return (this.#high | 0) * 2 ** 32 + this.#low;
  }

  /** `unsigned()` and `signed()` without rounding. */
  exactUnsigned(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  exactSigned(): bigint {
    return BigInt.asIntN(64, this.exactUnsigned());
  }

  /** An unsigned integer to tell things apart by: a number, unless it would be rounded. */
  id(): number | bigint {
    return this.#high < 2 ** 21 ? this.unsigned() : this.exactUnsigned();
  }

  /** Throws unless the last field is an integer (0), or bytes (2). */
  expect(wireType: 0 | 2): void {
    if (this.wireType === wireType) return;
    throw this.#error(
      `${wireType === 0 ? 'an integer' : 'a message or text'} in field ${this.field}`,
      `wire type ${this.wireType}`,
    );
  }

  #skip(count: number): void {
    if (count > this.#end - this.#at) {
      throw this.#error(`${count} more bytes`, `the end after ${this.#end - this.#at}`);
    }
    this.#at += count;
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw this.#error('the rest of an integer', 'the end');
      const byte = this.bytes[this.#at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw this.#error('an integer of at most 10 bytes', 'a longer one');
  }

  #error(expected: string, found: string) {
    return profileError(`not a valid proto: expected ${expected} at byte ${this.#at}, found ${found}`);
  }
}

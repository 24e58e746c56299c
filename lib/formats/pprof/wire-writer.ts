const UTF8 = new TextEncoder();
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** Writes protobuf fields into a buffer that grows. Fields of a default value (0, '') are left out, as Go does. */
export class WireWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** What was written; valid until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins anew, with the same memory. */
  reset(): void {
    this.#length = 0;
  }

  integerField(field: number, value: number | bigint): void {
    if (value === 0 || value === 0n) return;
    this.#reserve(11);
    this.#bytes[this.#length++] = field << 3;
    this.integer(value);
  }

  bytesField(field: number, bytes: Uint8Array): void {
    this.#reserve(11 + bytes.length);
    this.#bytes[this.#length++] = (field << 3) | 2;
    this.integer(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  stringField(field: number, value: string): void {
    this.bytesField(field, UTF8.encode(value));
  }

  /** A varint; below 0 an int64, from 2^63 up a uint64; clamped to these, NaN is 0. */
  integer(value: number | bigint): void {
    this.#reserve(10);
    if (typeof value === 'bigint') this.#big(value);
    else if (Number.isSafeInteger(value) && value >= 0) this.#small(value);
    else this.#big(toBigInteger(value));
  }

  #small(value: number): void {
    const bytes = this.#bytes;
    let at = this.#length;
    let high = value;
    // Bit operations are on 32 bits.
    while (high >= 0x8000_0000) {
      bytes[at++] = (high % 128) | 0x80;
      high = Math.floor(high / 128);
    }
    let rest = high | 0;
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  #big(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.written());
    this.#bytes = grown;
  }
}

function toBigInteger(value: number): bigint {
  if (Number.isNaN(value)) return 0n;
  if (value >= 2 ** 64) return MAX_UINT64;
  if (value <= -(2 ** 63)) return -MAX_INT64;
  return BigInt(Math.trunc(value));
}

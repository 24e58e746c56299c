import { type MemprofError, memprofError } from '../base/errors.js';

const MIB = 1024 * 1024;

/**
 * What a profile may have, far beyond any real one, so that no input takes more than about 1 GiB beside its own bytes.
 * A line is limited as in Go's reader.
 */
export const LIMITS = {
  inputBytes: 256 * MIB,
  /** JSON takes up to thirty times its size when it is read. */
  jsonBytes: 32 * MIB,
  lineBytes: 64 * 1024,
  sampleTypes: 1000,
  samples: 2 ** 20,
  locations: 2 ** 20,
  functions: 2 ** 20,
  mappings: 2 ** 16,
  strings: 2 ** 21,
  labels: 2 ** 21,
  comments: 2 ** 16,
  /** Of one stack, inlined ones included; of all samples together, and of all locations. */
  stackFrames: 2 ** 16,
  frames: 2 ** 24,
  /** Unrecognised lines, in formats that skip them. */
  skippedLines: 10_000,
};

export function profileError(message: string, cause?: unknown): MemprofError {
  return memprofError('ERR_MEMPROF_PROFILE', message, cause);
}

/** Counts towards a limit; throws when it is passed. */
export class Allowance {
  #left: number;

  constructor(
    readonly limit: number,
    readonly what: string,
  ) {
    this.#left = limit;
  }

  take(count = 1): void {
    this.#left -= count;
    if (this.#left < 0) throw profileError(`the profile has more than ${this.limit} ${this.what}`);
  }
}

import { lazily } from '../base/lazily.js';
import type { ParseOptions, ProfileData } from '../profile/model.js';

const parse = lazily(() => require('./parse.js') as typeof import('./parse.js'));

/**
 * Reads a heap profile: pprof's proto, gzipped or plain, or a legacy text (`heap`, `heap_v2`, `heapz_v2`,
 * `heapprofile`, `growthz`, `fragmentationz`, with or without a symbol section, and jemalloc's), gzipped or plain.
 *
 * Time is linear in the size of the input, and memory limited, whatever the input is: see `LIMITS`.
 *
 * Throws
 * - `ERR_MEMPROF_PROFILE` if it cannot be read, with one line that says where and what was expected,
 * - `TypeError` (`ERR_MEMPROF_INVALID_ARG_TYPE`), `RangeError` (`ERR_MEMPROF_OUT_OF_RANGE`) for the arguments.
 */
export function parseProfile(buffer: Uint8Array, options?: ParseOptions): ProfileData {
  return parse().parseProfile(buffer, options);
}

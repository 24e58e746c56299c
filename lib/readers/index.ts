import { memprofError } from '../errors.js';
import type { ParsedProfile, ParseOptions } from './profile-model.js';

/**
 * Reads a heap profile: pprof's proto, gzipped or plain, or a legacy text.
 *
 * Throws `ERR_MEMPROF_PROFILE` with a message of one line if it cannot be read.
 */
export function parseProfile(_buffer: Uint8Array, _options?: ParseOptions): ParsedProfile {
  throw memprofError('ERR_MEMPROF_PROFILE', 'not built yet');
}

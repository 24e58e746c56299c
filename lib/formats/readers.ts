import { lazily } from '../base/lazily.js';
import type { ParseOptions, ProfileData } from '../profile/model.js';
import type { Refill } from './gotext/lines.js';

const parse = lazily(() => require('./parse.js') as typeof import('./parse.js'));

/** See parse.ts. */
export function parseText(
  first: Uint8Array,
  refill: Refill,
  options?: ParseOptions,
): ProfileData | undefined {
  return parse().parseText(first, refill, options);
}

/** See lib/index.ts. */
export function parseProfile(buffer: Uint8Array, options?: ParseOptions): ProfileData {
  return parse().parseProfile(buffer, options);
}

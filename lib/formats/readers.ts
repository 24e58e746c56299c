import { lazily } from '../base/lazily.js';
import type { ParseOptions, ProfileData } from '../profile/model.js';

const parse = lazily(() => require('./parse.js') as typeof import('./parse.js'));

/** See lib/index.ts. */
export function parseProfile(buffer: Uint8Array, options?: ParseOptions): ProfileData {
  return parse().parseProfile(buffer, options);
}

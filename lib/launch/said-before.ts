import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import type { MemprofError } from '../base/errors.js';

const SAID = 'memprof: no binary';

/**
 * Whether this is for want of a binary, and a thread that this one descends from has met it as well: a warning for each
 * worker tells nothing new.
 */
export function saidBefore(error: unknown): boolean {
  const { code } = error as Partial<MemprofError>;
  if (code !== 'ERR_MEMPROF_NO_BINARY' && code !== 'ERR_MEMPROF_ABI') return false;
  if (getEnvironmentData(SAID) === true) return true;
  setEnvironmentData(SAID, true);
  return false;
}

import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import type { MemprofError } from '../base/errors.js';

const SAID = 'memprof: no binary';

/**
 * Whether the error is a missing binary that a parent thread has already warned about: the same warning from each worker
 * would tell nothing new.
 */
export function saidBefore(error: unknown): boolean {
  const { code } = error as Partial<MemprofError>;
  if (code !== 'ERR_MEMPROF_NO_BINARY' && code !== 'ERR_MEMPROF_ABI') return false;
  if (getEnvironmentData(SAID) === true) return true;
  setEnvironmentData(SAID, true);
  return false;
}

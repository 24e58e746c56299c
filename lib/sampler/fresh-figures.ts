import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../addon/native.js';

/**
 * Asks all profiled threads for figures as of their last garbage collection, or of one made for it, and waits for them
 * no longer than `timeoutMs`: a thread in a long native call does not answer. Resolves to whether all did.
 */
export async function refreshFigures(collect: boolean, timeoutMs: number): Promise<boolean> {
  const awaited = native().refresh(collect);
  const deadline = performance.now() + timeoutMs;
  // Nothing tells that they have answered, since the answer comes out of an interrupt: look again and again.
  for (let wait = 1; awaited() > 0; wait = Math.min(wait * 2, 20)) {
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await sleep(Math.min(wait, left));
  }
  return true;
}

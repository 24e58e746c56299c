import type { MemStats } from '../profile/public-types.js';

type Rings = Pick<MemStats, 'numGC' | 'pauseNs' | 'pauseEnd'>;

/**
 * Finds the new pauses in the rings of `readMemStats`. It identifies a pause by its end and its length, not by its position:
 * the rings of several threads are merged by time, so a new pause of a worker may appear below older ones.
 */
export class PauseHistory {
  #seen = new Map<string, number>();
  #read = 0;
  /** The number of pauses that left the rings before anybody read them. */
  missed = 0;

  /** Returns the nanoseconds of each pause that was not in the rings at the last call, in no particular order. */
  take({ numGC, pauseNs, pauseEnd }: Rings): number[] {
    const fresh: number[] = [];
    const seen = new Map<string, number>();
    for (let at = 0; at < pauseEnd.length; at++) {
      if (pauseEnd[at] === 0) continue;
      const key = `${pauseEnd[at]} ${pauseNs[at]}`;
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      if (times > (this.#seen.get(key) ?? 0)) fresh.push(pauseNs[at]!);
    }
    this.#seen = seen;
    this.#read += fresh.length;
    this.missed = Math.max(0, numGC - this.#read);
    return fresh;
  }
}

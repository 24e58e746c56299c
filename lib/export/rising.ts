/**
 * Keeps a counter from falling. An estimate may fall by a little, which Prometheus would take for a restart, and count
 * all of it again: it stays where it was until it rises. A fall to less than half is that of records that were
 * forgotten, and is passed on.
 */
export class Rising {
  #value = 0;

  next(value: number): number {
    if (value > this.#value || value < this.#value / 2) this.#value = value;
    return this.#value;
  }
}

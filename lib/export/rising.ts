/**
 * Keeps a counter from falling. An estimate may fall slightly; Prometheus would take that for a restart and count the
 * whole value again. So the counter keeps its value until the estimate exceeds it. A fall to less than half means that the
 * records were reset, and is passed on.
 */
export class Rising {
  #value = 0;

  next(value: number): number {
    if (value > this.#value || value < this.#value / 2) this.#value = value;
    return this.#value;
  }
}

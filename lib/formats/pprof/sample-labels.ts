import { type Labels, newLabels } from '../../profile/labels.js';
import type { Sample } from '../../profile/model.js';
import { isRounded } from './exact.js';

type LabelFields = Pick<Sample, 'labels' | 'numLabels' | 'exactNumLabels' | 'numUnits'>;

const MAX_SHARED = 10_000;

/** Collects the labels of one sample after the other. */
export class SampleLabels {
  #texts: Labels<string> | undefined;
  #numbers: Labels<number> | undefined;
  #exact: Labels<bigint> | undefined;
  #units: Labels<string> | undefined;
  readonly #shared = new Map<number, Labels<number>>();

  addText(key: string, text: string): void {
    this.#texts ??= newLabels<string>();
    this.#texts[key] ??= [];
    this.#texts[key].push(text);
  }

  /** `exact` where the number may have been rounded. */
  addNumber(key: string, number: number, exact: bigint | undefined, unit: string): void {
    this.#numbers ??= newLabels<number>();
    this.#numbers[key] ??= [];
    const numbers = this.#numbers[key];
    if ((exact !== undefined && isRounded(exact)) || this.#exact?.[key] !== undefined) {
      this.#exact ??= newLabels<bigint>();
      this.#exact[key] ??= numbers.map(BigInt);
      this.#exact[key].push(exact ?? BigInt(number));
    }
    if (unit !== '' || this.#units?.[key] !== undefined) {
      this.#units ??= newLabels<string>();
      this.#units[key] ??= numbers.map(() => '');
      this.#units[key].push(unit);
    }
    numbers.push(number);
  }

  /** Adds the labels that were added since the last call. */
  moveTo(sample: LabelFields): void {
    if (this.#texts !== undefined) sample.labels = this.#texts;
    if (this.#numbers !== undefined) sample.numLabels = this.#sharedNumbers(this.#numbers);
    if (this.#exact !== undefined) sample.exactNumLabels = this.#exact;
    if (this.#units !== undefined) sample.numUnits = this.#units;
    this.#texts = undefined;
    this.#numbers = undefined;
    this.#exact = undefined;
    this.#units = undefined;
  }

  /** Most samples have one number, `bytes`, of a few values. */
  #sharedNumbers(numbers: Labels<number>): Labels<number> {
    const sizes = numbers.bytes;
    if (sizes?.length !== 1 || Object.keys(numbers).length !== 1) return numbers;
    const size = sizes[0]!;
    const shared = this.#shared.get(size);
    if (shared !== undefined) return shared;
    if (this.#shared.size < MAX_SHARED) this.#shared.set(size, numbers);
    return numbers;
  }
}

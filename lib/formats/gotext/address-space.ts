import type { Mapping } from '../../profile/model.js';

/** A mapping with exact figures, while it may still be moved. */
export interface AddressRange {
  start: bigint;
  limit: bigint;
  offset: bigint;
  fileName: string;
  buildId: string;
}

/** Arithmetic on addresses is modulo 2^64. */
export function withoutRounding(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

/** Moved mappings are found one by one, until there are this many. */
const MAX_MOVED = 64;

/**
 * Finds the mapping of addresses as Go's legacy reader does (remapMappingIDs): the first that contains the address; else the
 * first that would if it began at its file's beginning, and then does; else one for all that is not mapped.
 */
export class AddressSpace {
  readonly #ranges: AddressRange[];
  #index: RangeIndex;
  readonly #beginnings: RangeIndex;
  #moved: number[] = [];
  #rest: AddressRange | undefined;
  /** The finished mapping of each range, filled at the end: addresses still move them. */
  readonly #objects = new Map<AddressRange, Mapping>();

  constructor(ranges: AddressRange[]) {
    this.#ranges = ranges;
    this.#index = new RangeIndex(ranges.map(({ start, limit }) => [start, limit]));
    this.#beginnings = new RangeIndex(
      ranges.map(({ start, offset }) =>
        offset === 0n ? [0n, 0n] : [withoutRounding(start - offset), start],
      ),
    );
  }

  /** Undefined for the address 0. The object is complete when `finish` was called. */
  find(address: number | bigint): Mapping | undefined {
    if (address === 0) return undefined;
    const range = this.#find(address);
    let mapping = this.#objects.get(range);
    if (mapping === undefined) {
      mapping = { start: 0, limit: 0, offset: 0, fileName: range.fileName, buildId: range.buildId };
      this.#objects.set(range, mapping);
    }
    return mapping;
  }

  #find(address: number | bigint): AddressRange {
    let found = this.#index.find(address);
    for (const at of this.#moved) {
      const { start, limit } = this.#ranges[at]!;
      if ((found === -1 || at < found) && address >= start && address < limit) found = at;
    }
    if (found !== -1) return this.#ranges[found]!;
    found = this.#beginnings.find(address);
    if (found !== -1) {
      const range = this.#ranges[found]!;
      range.start = withoutRounding(range.start - range.offset);
      range.offset = 0n;
      this.#moved.push(found);
      if (this.#moved.length > MAX_MOVED) {
        this.#index = new RangeIndex(this.#ranges.map(({ start, limit }) => [start, limit]));
        this.#moved = [];
      }
      return range;
    }
    this.#rest ??= { start: 0n, limit: 2n ** 64n - 1n, offset: 0n, fileName: '', buildId: '' };
    return this.#rest;
  }

  /** All mappings, in Go's order. */
  finish(): Mapping[] {
    const all = this.#rest === undefined ? this.#ranges : [...this.#ranges, this.#rest];
    return all.map((range) => {
      const { start, limit, offset, fileName, buildId } = range;
      const figures = { start: Number(start), limit: Number(limit), offset: Number(offset) };
      const isRounded =
        BigInt(figures.start) !== start ||
        BigInt(figures.limit) !== limit ||
        BigInt(figures.offset) !== offset;
      return Object.assign(this.#objects.get(range) ?? {}, {
        ...figures,
        fileName,
        buildId,
        ...(isRounded && { exact: { start, limit, offset } }),
      });
    });
  }
}

/** Finds the first of many ranges, which may overlap, that contains an address. */
class RangeIndex {
  /** Where another range than before becomes the first, in ascending order, and which. */
  readonly #points: bigint[] = [];
  readonly #numbers: Float64Array;
  readonly #owners: number[] = [];

  constructor(ranges: readonly (readonly [start: bigint, limit: bigint])[]) {
    const events: { point: bigint; index: number; begins: boolean }[] = [];
    for (const [index, [start, limit]] of ranges.entries()) {
      if (start >= limit) continue;
      events.push({ point: start, index, begins: true }, { point: limit, index, begins: false });
    }
    events.sort((a, b) => (a.point < b.point ? -1 : a.point > b.point ? 1 : 0));
    const open = new Smallest();
    const isOpen = new Uint8Array(ranges.length);
    for (let at = 0; at < events.length; ) {
      const { point } = events[at]!;
      for (; at < events.length && events[at]!.point === point; at++) {
        const { index, begins } = events[at]!;
        isOpen[index] = Number(begins);
        if (begins) open.add(index);
      }
      while (open.first !== undefined && isOpen[open.first] === 0) open.remove();
      this.#points.push(point);
      this.#owners.push(open.first ?? -1);
    }
    this.#numbers = Float64Array.from(this.#points, Number);
  }

  /** -1 where there is none. */
  find(address: number | bigint): number {
    // Numbers are exact below 2^53, and what is above is larger, rounded or not.
    const points: ArrayLike<number | bigint> = typeof address === 'number' ? this.#numbers : this.#points;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? -1 : this.#owners[low - 1]!;
  }
}

/** A heap of integers. */
class Smallest {
  readonly #items: number[] = [];

  get first(): number | undefined {
    return this.#items[0];
  }

  add(item: number): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    for (let up = (at - 1) >> 1; at > 0 && items[up]! > item; up = (at - 1) >> 1) {
      items[at] = items[up]!;
      at = up;
    }
    items[at] = item;
  }

  remove(): void {
    const items = this.#items;
    const last = items.pop()!;
    if (items.length === 0) return;
    let at = 0;
    for (let down = 1; down < items.length; down = 2 * at + 1) {
      if (down + 1 < items.length && items[down + 1]! < items[down]!) down++;
      if (items[down]! >= last) break;
      items[at] = items[down]!;
      at = down;
    }
    items[at] = last;
  }
}

// The table of functions beside the graph.
import { categories, colorOf } from './categories.js';
import { errorValues, FUNCTIONS, format, nameOf, payload, placeOf, share } from './data.js';
import type { FunctionSums } from './trees.js';

const ROWS = 100;

export type SortBy = 'flat' | 'cum' | 'name' | 'change';

export class Table {
  #shown = ROWS;
  readonly #body = document.querySelector<HTMLTableSectionElement>('#functions tbody')!;
  readonly #more = document.querySelector<HTMLButtonElement>('#more')!;

  constructor(readonly choose: (fn: number) => void) {
    this.#more.addEventListener('click', () => {
      this.#shown += 4 * ROWS;
      this.#redraw();
    });
  }

  #redraw: () => void = () => {};

  /** `found` limits the rows to these functions. */
  show(
    sums: FunctionSums,
    {
      type,
      total,
      sort,
      found,
      selected,
      dark,
    }: {
      type: number;
      total: number;
      sort: SortBy;
      found: Uint8Array | undefined;
      selected: number;
      dark: boolean;
    },
  ): void {
    this.#redraw = () => this.show(sums, { type, total, sort, found, selected, dark });
    const change = (fn: number) => sums.flat[fn]! - sums.flatBase[fn]!;
    const rows: number[] = [];
    for (let fn = 0; fn < FUNCTIONS; fn++) {
      const isUsed = sums.cum[fn]! > 0 || sums.cumBase[fn]! > 0;
      if (isUsed && found?.[fn] !== 0) rows.push(fn);
    }
    const by: Record<SortBy, (a: number, b: number) => number> = {
      flat: (a, b) => sums.flat[b]! - sums.flat[a]! || sums.cum[b]! - sums.cum[a]!,
      cum: (a, b) => sums.cum[b]! - sums.cum[a]! || sums.flat[b]! - sums.flat[a]!,
      name: (a, b) => nameOf(a).localeCompare(nameOf(b)),
      change: (a, b) => Math.abs(change(b)) - Math.abs(change(a)),
    };
    rows.sort(by[sort]);
    const cells = rows.slice(0, this.#shown).map((fn) => {
      const row = document.createElement('tr');
      row.className = fn === selected ? 'selected' : '';
      const error = errorValues[type]![fn]!;
      const middle = payload.diff
        ? `${change(fn) > 0 ? '+' : ''}${format(change(fn), type)}`
        : error > 0
          ? `±${format(error, type)}`
          : '';
      for (const text of [`${format(sums.flat[fn]!, type)} `, middle, `${format(sums.cum[fn]!, type)} `]) {
        const cell = document.createElement('td');
        cell.textContent = text;
        row.append(cell);
      }
      row.firstElementChild!.append(small(share(sums.flat[fn]!, total)));
      row.children[2]!.append(small(share(sums.cum[fn]!, total)));
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'name';
      button.textContent = nameOf(fn);
      button.addEventListener('click', () => this.choose(fn));
      const mark = document.createElement('i');
      mark.style.background = colorOf(categories[fn]!, dark);
      const cell = document.createElement('td');
      cell.append(mark, button, ' ', small(placeOf(fn)));
      row.append(cell);
      return row;
    });
    this.#body.replaceChildren(...cells);
    this.#more.hidden = rows.length <= this.#shown;
    this.#more.textContent = `Show more of ${rows.length.toLocaleString('en')} functions`;
  }
}

function small(text: string): HTMLElement {
  const element = document.createElement('small');
  element.textContent = text;
  return element;
}

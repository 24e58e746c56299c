const TAB_WIDTH = 8;
const PADDING = 1;

/** The cells of one column in a run of consecutive lines that all have one; `width` is that of the widest. */
interface Column {
  width: number;
}

interface Cell {
  /** Offset of the tab that ends the cell. */
  end: number;
  width: number;
  column: Column;
}

/**
 * Aligns tab-terminated cells as Go's `text/tabwriter` does with minwidth 1, tabwidth 8, padding 1, padchar TAB and no
 * flags: the writer of Go's profiles in text form. What follows the last tab of a line belongs to no column. Widths
 * are in code points. Unlike Go's, vertical tabs and form feeds are ordinary characters here.
 *
 * @param text lines ended by `\n`, with one tab at the end of each cell
 * @returns the same lines, with as many tabs at the end of each cell as its column needs
 */
export function alignTabs(text: string): string {
  // Go drops a tab that ends a text without a newline.
  const source = text.endsWith('\t') ? text.slice(0, -1) : text;
  const widthOf = /[\ud800-\udfff]/.test(source) ? countCodePoints : countCodeUnits;
  const aligned: string[] = [];
  const cells: Cell[] = [];
  const open: Column[] = [];
  let copied = 0;
  let start = 0;
  let index = 0;
  let tab = source.indexOf('\t');
  let newline = source.indexOf('\n');

  while (tab !== -1 || newline !== -1) {
    if (newline === -1 || (tab !== -1 && tab < newline)) {
      const width = widthOf(source, start, tab);
      open[index] ??= { width: 0 };
      const column = open[index]!;
      if (width > column.width) column.width = width;
      cells.push({ end: tab, width, column });
      index++;
      start = tab + 1;
      tab = source.indexOf('\t', start);
    } else {
      open.length = index;
      // Nothing before a line without cells can change any more.
      if (index === 0) copied = writeCells(source, copied, cells, aligned);
      index = 0;
      start = newline + 1;
      newline = source.indexOf('\n', start);
    }
  }
  copied = writeCells(source, copied, cells, aligned);
  aligned.push(source.slice(copied));
  return aligned.join('');
}

/** Moves `cells` into `aligned`, and what comes before them; `copied` is how much of `source` is there already. */
function writeCells(source: string, copied: number, cells: Cell[], aligned: string[]): number {
  let end = copied;
  for (const cell of cells) {
    const extraTabs = tabsAfter(cell) - 1;
    if (extraTabs === 0) continue;
    aligned.push(source.slice(end, cell.end), '\t'.repeat(extraTabs));
    end = cell.end;
  }
  cells.length = 0;
  return end;
}

function tabsAfter({ width, column }: Cell): number {
  const columnEnd = Math.ceil((column.width + PADDING) / TAB_WIDTH);
  return columnEnd - Math.floor(width / TAB_WIDTH);
}

function countCodeUnits(_text: string, start: number, end: number): number {
  return end - start;
}

function countCodePoints(text: string, start: number, end: number): number {
  const pairs = text.slice(start, end).match(/[\ud800-\udbff][\udc00-\udfff]/g);
  return end - start - (pairs?.length ?? 0);
}

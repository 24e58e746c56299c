// Two sets of results of `measure()`, by name, as a gate in CI compares them.
import { markdownCode } from './report-formats.js';
import { formatPercentage } from './units.js';

/** The figures of a `Measurement` that are compared. */
export interface BenchFigures {
  bytesPerOp: number;
  allocsPerOp: number;
  spread?: Record<'bytesPerOp' | 'allocsPerOp', { min: number; max: number }>;
}

export type BenchResults = Readonly<Record<string, BenchFigures>>;

export type BenchVerdict = 'same' | 'less' | 'more' | 'new' | 'gone';

export interface BenchRow {
  name: string;
  before?: BenchFigures;
  after?: BenchFigures;
  verdict: BenchVerdict;
}

const FIGURES = ['bytesPerOp', 'allocsPerOp'] as const;
/** Less than a word, or than one event, is no allocation that a change of the code has added. */
const LEAST = { bytesPerOp: 8, allocsPerOp: 1 };
const ROUNDING = 1e-9;

/** Whether a figure rose by more than the tolerance, and by more than its batches differ among themselves. */
function rises(
  figure: (typeof FIGURES)[number],
  from: BenchFigures,
  to: BenchFigures,
  tolerance: number,
): boolean {
  const difference = to[figure] - from[figure];
  const most = from.spread?.[figure].max ?? from[figure];
  const least = to.spread?.[figure].min ?? to[figure];
  return difference > from[figure] * tolerance && difference >= LEAST[figure] - ROUNDING && least > most;
}

export function compareBenches(before: BenchResults, after: BenchResults, tolerance: number): BenchRow[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.map((name) => {
    const [from, to] = [before, after].map((all) => (Object.hasOwn(all, name) ? all[name] : undefined));
    if (from === undefined) return { name, after: to!, verdict: 'new' };
    if (to === undefined) return { name, before: from, verdict: 'gone' };
    const more = FIGURES.some((figure) => rises(figure, from, to, tolerance));
    const less = FIGURES.some((figure) => rises(figure, to, from, tolerance));
    return { name, before: from, after: to, verdict: more ? 'more' : less ? 'less' : 'same' };
  });
}

const number = (value: number | undefined) =>
  value === undefined ? '-' : Number.isInteger(value) ? String(value) : value.toFixed(1);

function change(before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined || before === after) return '';
  if (before === 0) return 'from 0';
  const percentage = formatPercentage(Math.abs(after - before), before).trim();
  return `${after > before ? '+' : '-'}${percentage}`;
}

const TITLES = ['bytes/op', 'now', 'change', 'allocs/op', 'now', 'verdict', 'name'];

function cellsOf({ before, after, verdict }: BenchRow): string[] {
  return [
    number(before?.bytesPerOp),
    number(after?.bytesPerOp),
    change(before?.bytesPerOp, after?.bytesPerOp),
    number(before?.allocsPerOp),
    number(after?.allocsPerOp),
    verdict,
  ];
}

export function formatBenchText(rows: readonly BenchRow[]): string {
  const lines = [TITLES, ...rows.map((row) => [...cellsOf(row), row.name])];
  const widths = TITLES.map((_, at) => Math.max(...lines.map((cells) => cells[at]!.length)));
  return lines
    .map((cells) => cells.map((cell, at) => (at > 4 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))))
    .map((cells) => `${cells.join('  ').trimEnd()}\n`)
    .join('');
}

export function formatBenchMarkdown(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => `| ${markdownCode(row.name)} | ${cellsOf(row).join(' | ')} |\n`);
  return `| name | bytes/op before | after | change | allocs/op before | after | verdict |
|---|--:|--:|--:|--:|--:|---|
${lines.join('')}`;
}

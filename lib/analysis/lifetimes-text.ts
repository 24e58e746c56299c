import { printable } from '../base/text.js';
import type { ProfileData } from '../profile/model.js';
import { nodeName } from './graph.js';
import { formatValue } from './units.js';

const MOST_SITES = 100;

/** A profile of lifetimes as a table: the functions whose memory was promoted most, first. */
export function formatLifetimes({ samples, sampleTypes, comments }: ProfileData): string {
  const sites = new Map<string, number[]>();
  for (const { values, stack } of samples) {
    const [leaf] = stack;
    const name = leaf === undefined ? '<unknown>' : nodeName(leaf, 'places');
    const sums = sites.get(name) ?? sampleTypes.map(() => 0);
    for (const [at, value] of values.entries()) sums[at]! += value;
    sites.set(name, sums);
  }
  const column = (type: string) => sampleTypes.findIndex((each) => each.type === type);
  const [objects, space, age] = [
    column('promoted_objects'),
    column('promoted_space'),
    column('promoted_age'),
  ];
  const [temporary, kept] = [column('temporary_space'), column('kept_space')];
  const sorted = [...sites]
    .sort(([, a], [, b]) => b[space]! - a[space]! || b[temporary]! - a[temporary]! || b[kept]! - a[kept]!)
    .slice(0, MOST_SITES);
  const rows = sorted.map(([name, sums]) => [
    formatValue(sums[space]!, 'bytes'),
    String(sums[objects]!),
    sums[objects] === 0 ? '-' : formatValue(Math.round(sums[age]! / sums[objects]!), 'milliseconds'),
    formatValue(sums[temporary]!, 'bytes'),
    formatValue(sums[kept]!, 'bytes'),
    printable(name),
  ]);
  const lines = [['promoted', 'objects', 'mean age', 'temporary', 'kept', 'allocated by'], ...rows].map(
    (cells) => cells.map((cell, at) => (at === 5 ? `  ${cell}` : cell.padStart(11))).join(''),
  );
  return [
    'Promoted: outlived a major garbage collection and died later. Temporary: died before. Kept: in use.',
    ...comments,
    '',
    ...lines,
    '',
  ].join('\n');
}

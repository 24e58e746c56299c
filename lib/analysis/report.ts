import path from 'node:path';
import type { Granularity } from '../base/choices.js';
import { printable } from '../base/text.js';
import { newLabels } from '../profile/labels.js';
import { BASE_LABEL, mergeProfiles } from '../profile/merge.js';
import type { Labels, MergedProfile } from '../profile/merged.js';
import type { ProfileData } from '../profile/model.js';
import { type FilteredProfile, type Filters, filterSamples } from './filters.js';
import { type GraphNode, sortEdges, sumOfFlat, type TrimOptions, trimmedGraph } from './graph.js';
import { withPlainNames } from './plain-names.js';
import { prune } from './prune.js';
import type { Errors } from './sampling-error.js';
import type { Style } from './style.js';
import {
  formatCompact,
  formatPercentage,
  formatShare,
  formatValue,
  formatWithError,
  scale,
} from './units.js';

export interface ReportOptions extends TrimOptions {
  /** Name or number of the column to show; '' for the profile's default. */
  sampleIndex: string;
  granularity: Granularity;
  filters: Filters;
}

export interface Report {
  nodes: GraphNode[];
  /** Of the figures of nodes themselves, by name; undefined where the profile does not tell. */
  errors: Errors | undefined;
  granularity: Granularity;
  /** The column that is shown. */
  type: string;
  unit: string;
  /** The sum of all samples, including those that are filtered out. */
  total: number;
  /** The lines above the table. */
  labels: string[];
  warnings: string[];
  format(value: number): string;
  percent(value: number): string;
}

export class UnknownSampleIndex extends Error {}

/** Follows Go's rules: a number, a name, or a name whose `inuse_` is dropped. */
export function findSampleIndex(
  { sampleTypes, defaultSampleType }: Pick<ProfileData, 'sampleTypes' | 'defaultSampleType'>,
  name: string,
): number {
  if (name === '') {
    const index = sampleTypes.findIndex(({ type }) => type === defaultSampleType);
    return index === -1 ? sampleTypes.length - 1 : index;
  }
  const types = sampleTypes.map(({ type }) => type);
  const index = /^[+-]?\d+$/.test(name)
    ? Number(name)
    : types.findIndex((type) => type === name || type === name.replace(/^inuse_/, ''));
  if (types[index] === undefined) {
    const choices = types.map((type, at) => `${at} ${printable(type)}`).join(', ');
    throw new UnknownSampleIndex(`no sample_index '${printable(name)}': there are ${choices}`);
  }
  return index;
}

/**
 * What reports are made of: the sum of the profiles minus that of their base, without the frames that they say to drop.
 * With `isDifference`, percentages are those of the base; with `plainNames`, names of C++ functions are shortened as Go
 * does. Throws `ProfileMismatch`.
 */
export function prepare(
  profiles: ProfileData | readonly ProfileData[],
  base: readonly ProfileData[] = [],
  { isDifference = false, plainNames = false } = {},
): MergedProfile {
  const all = 'samples' in profiles ? [profiles] : profiles;
  const merged = withLabelsOfValue(mergeProfiles(all, base, isDifference));
  return prune(plainNames ? withPlainNames(merged) : merged);
}

/** Labels that are '', or 0 without a unit, are none: a proto cannot hold them. */
function withLabelsOfValue(profile: MergedProfile): MergedProfile {
  const decided = new Map<Labels, Labels>();
  return {
    ...profile,
    labels: profile.labels.map((labels) => {
      let left = decided.get(labels);
      if (left === undefined) {
        left = labelsOfValue(labels);
        decided.set(labels, left);
      }
      return left;
    }),
  };
}

function labelsOfValue(labels: Labels): Labels {
  const { numUnits } = labels;
  const isNone = (key: string) => (value: number, at: number) => value === 0 && !numUnits?.[key]?.[at];
  const hasNone =
    Object.values(labels.labels).some((texts) => texts.includes('')) ||
    Object.entries(labels.numLabels).some(([key, values]) => values.some(isNone(key)));
  if (!hasNone) return labels;
  const numbers = {
    ...(numUnits && { numUnits: newLabels<string>() }),
    ...(labels.exactNumLabels && { exactNumLabels: newLabels<bigint>() }),
  };
  const kept: Labels = { labels: newLabels(), numLabels: newLabels(), ...numbers };
  const put = (field: object = {}, key: string, values: readonly unknown[]) =>
    values.length > 0 && Object.assign(field, { [key]: values });
  for (const [key, texts] of Object.entries(labels.labels)) {
    put(
      kept.labels,
      key,
      texts.filter((text) => text !== ''),
    );
  }
  for (const [key, values] of Object.entries(labels.numLabels)) {
    const isLeft = (_: unknown, at: number) => !isNone(key)(values[at]!, at);
    put(kept.numLabels, key, values.filter(isLeft));
    const [units, exact] = [numUnits?.[key], labels.exactNumLabels?.[key]];
    if (units !== undefined) put(numbers.numUnits, key, units.filter(isLeft));
    if (exact !== undefined) put(numbers.exactNumLabels, key, exact.filter(isLeft));
  }
  return kept;
}

/** A prepared profile after the filters, and how its figures are shown. */
export interface View {
  profile: FilteredProfile;
  /** The column that is shown. */
  index: number;
  type: string;
  unit: string;
  /** The sum of all samples, including those that are filtered out. */
  total: number;
  warnings: string[];
}

/** What all reports of a profile have in common. */
export function viewOf(prepared: MergedProfile, sampleIndex: string, filters: Filters): View {
  const index = findSampleIndex(prepared.head, sampleIndex);
  const { type, unit } = prepared.sampleTypes[index]!;
  const { profile, unmatched } = filterSamples(prepared, filters);
  const warnings = unmatched.map((name) => {
    const shown = { tagfocus: 'TagFocus', tagignore: 'TagIgnore' }[name as string];
    return `${shown ?? name[0]!.toUpperCase() + name.slice(1)} expression matched no samples`;
  });
  return { profile, index, type, unit, total: totalOf(prepared, index), warnings };
}

/** Of absolute values; only of the base where there is one to compare with. */
function totalOf({ columns, count, labels }: MergedProfile, index: number): number {
  const column = columns[index]!;
  const sumOf = (isCounted: (i: number) => boolean) => {
    if (column instanceof BigInt64Array) {
      let sum = 0n;
      for (let i = 0; i < count; i++) {
        const value = column[i]!;
        if (isCounted(i)) sum += value < 0n ? -value : value;
      }
      return Number(BigInt.asIntN(64, sum));
    }
    let sum = 0;
    for (let i = 0; i < count; i++) if (isCounted(i)) sum += Math.abs(column[i]!);
    return sum;
  };
  const ofBase = sumOf((i) => labels[i]!.labels[BASE_LABEL]?.includes('true') === true);
  return ofBase > 0 ? ofBase : sumOf(() => true);
}

/** Makes the report that `go tool pprof` would make of a prepared profile. */
export function makeReport(prepared: MergedProfile, options: ReportOptions, errors?: Errors): Report {
  const view = viewOf(prepared, options.sampleIndex, options.filters);
  const { profile, index, type, unit, total, warnings } = view;
  const { nodes, candidates, dropped } = trimmedGraph(profile, index, options.granularity, options);

  const { granularity } = options;
  const outputUnit = commonUnit(nodes, total, unit);
  const format = (value: number) =>
    granularity === 'places' ? formatCompact(value, unit) : formatValue(value, unit, outputUnit);
  const percent = (value: number) =>
    granularity === 'places' ? formatShare(value, total).padStart(6) : formatPercentage(value, total);

  const labels = profileLabels(view, format);
  const filters = Object.entries(options.filters).filter(([, filter]) => filter !== undefined);
  if (filters.length > 0) labels.push('Active filters:');
  for (const [name, filter] of filters) {
    const source = filter instanceof RegExp ? shownRegExp(filter) : filter.source;
    labels.push(printable(`   ${shorten(`${name}=${source}`)}`));
  }
  const flat = sumOfFlat(nodes);
  labels.push(
    `Showing nodes accounting for ${format(flat)}, ${percent(flat).trim()} of ${format(total)} total`,
  );
  if (total !== 0) {
    if (dropped > 0) {
      const limit = format(Math.abs(Math.trunc(total * options.nodeFraction)));
      labels.push(`Dropped ${dropped} node${dropped > 1 ? 's' : ''} (cum <= ${limit})`);
    }
    if (nodes.length > 0 && nodes.length < candidates) {
      labels.push(`Showing top ${nodes.length} nodes out of ${candidates}`);
    }
  }
  return { nodes, errors, granularity, type, unit, total, labels, warnings, format, percent };
}

function shownRegExp({ source, flags }: RegExp): string {
  const own = flags.replace('u', '');
  return own === '' ? source : `(?${own})${source}`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The unit of the whole table: that of its smallest figure, or of 100 times that figure if the total is far larger. */
function commonUnit(nodes: readonly GraphNode[], total: number, unit: string): string {
  if (nodes.length === 0) return 'minimum';
  let least = Number.POSITIVE_INFINITY;
  for (const { flat, cum } of nodes) {
    const value = Math.abs(flat) || Math.abs(cum);
    if (value > 0) least = Math.min(least, value);
  }
  if (least === Number.POSITIVE_INFINITY) least = total;
  const [, leastUnit] = scale(least, unit, 'minimum');
  const [, totalUnit] = scale(total, unit, 'minimum');
  const common =
    leastUnit !== totalUnit && least * 100 < total ? scale(100 * least, unit, 'minimum')[1] : leastUnit;
  return common === '' ? unit : common;
}

/** The lines above a report that tell what the profile is. */
export function profileLabels({ profile, type, unit, total }: View, format: Report['format']): string[] {
  const { comments, timeNanos, durationNanos } = profile.head;
  const labels: string[] = [];
  const binary = profile.mappings[0];
  if (binary !== undefined && binary.fileName !== '') labels.push(`File: ${path.basename(binary.fileName)}`);
  if (binary !== undefined && binary.buildId !== '') labels.push(`Build ID: ${binary.buildId}`);
  labels.push(...comments.filter((comment) => !comment.startsWith('#')));
  if (type !== '') labels.push(`Type: ${type}`);
  if (timeNanos) labels.push(`Time: ${formatTime(new Date(Math.floor(timeNanos / 1e6)))}`);
  if (durationNanos) {
    const [nanos, totalUnit] = scale(total, unit, 'nanoseconds');
    const share = totalUnit === 'ns' && nanos !== 0 ? `(${formatPercentage(nanos, durationNanos)})` : '';
    const duration = formatValue(durationNanos, 'nanoseconds');
    labels.push(`Duration: ${duration}, Total samples = ${format(total)} ${share}`);
  }
  return labels.map(printable);
}

/** `Nov 23, 2026 at 1:45am (UTC)`. */
function formatTime(time: Date): string {
  if (Number.isNaN(time.getTime())) return 'unknown';
  const parts = new Intl.DateTimeFormat('en-US', {
    month: 'short',
    day: 'numeric',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    hour12: true,
    timeZoneName: 'short',
  }).formatToParts(time);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  const clock = `${part('hour')}:${part('minute')}${part('dayPeriod').toLowerCase()}`;
  return `${part('month')} ${part('day')}, ${part('year')} at ${clock} (${part('timeZoneName')})`;
}

/** `go tool pprof -top`; by places, with the errors of the figures. */
export function formatTop(report: Report, style: Style): string {
  const { nodes, labels, format, percent, granularity } = report;
  const lines = labels.map((label) => `${label}\n`);
  if (granularity === 'places') return [...lines, ...placesTable(report, style)].join('');
  lines.push(style.bold(`${tableHead}`), '\n');
  let sum = 0;
  for (const node of nodes) {
    sum += node.flat;
    const name = printable(node.name) + inlineMark(node);
    const flat = style.weight(`${format(node.flat).padStart(10)} ${percent(node.flat)}`, percent(node.flat));
    const cum = style.weight(`${format(node.cum).padStart(10)} ${percent(node.cum)}`, percent(node.cum));
    lines.push(`${flat} ${percent(sum)} ${cum}  ${name}\n`);
  }
  return lines.join('');
}

function placesTable({ nodes, errors, unit, format, percent }: Report, style: Style): string[] {
  const head = `${'flat'.padStart(9)} ${errors === undefined ? '' : `${'±'.padStart(8)} `}  flat%   sum%       cum   cum%`;
  const lines = [style.bold(head), '\n'];
  let sum = 0;
  for (const node of nodes) {
    sum += node.flat;
    const [flat, error] = formatWithError(node.flat, errors?.get(node.name) ?? 0, unit);
    const shownError = errors === undefined ? '' : `${(error === '0' ? '' : `±${error}`).padStart(8)} `;
    const own = `${flat.padStart(9)} ${shownError}${percent(node.flat)}`;
    const cum = `${format(node.cum).padStart(9)} ${percent(node.cum)}`;
    lines.push(
      `${style.weight(own, percent(node.flat))} ${percent(sum)} ${style.weight(cum, percent(node.cum))}  ${printable(node.name)}\n`,
    );
  }
  return lines;
}

const tableHead = '      flat  flat%   sum%        cum   cum%';

function inlineMark(node: GraphNode): string {
  const inlined = [...node.in.values()].filter(({ inline }) => inline).length;
  if (inlined === 0) return '';
  return inlined === node.in.size ? ' (inline)' : ' (partial-inline)';
}

const SEPARATOR = '----------------------------------------------------------+-------------\n';
const TREE_HEAD = '      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t ';

/** `go tool pprof -tree`; with `only`, which selects the nodes to show, `-peek`. */
export function formatTree(
  { nodes, labels, format, percent }: Report,
  style: Style,
  only?: RegExp,
): { text: string; shown: number } {
  const lines = labels.map((label) => `${label}\n`);
  lines.push(SEPARATOR, style.bold(TREE_HEAD), '\n');
  let sum = 0;
  let shown = 0;
  for (const node of nodes) {
    if (only !== undefined && !only.test(node.name)) continue;
    shown++;
    sum += node.flat;
    const context = (weight: number, name: string, inline: boolean) =>
      `${format(weight).padStart(50)} ${formatPercentage(weight, node.cum)} |   ${printable(name)}${inline ? ' (inline)' : ''}\n`;
    lines.push(SEPARATOR);
    for (const { weight, from, inline } of sortEdges(node.in.values())) {
      lines.push(context(weight, from.name, inline));
    }
    lines.push(
      style.bold(
        `${format(node.flat).padStart(10)} ${percent(node.flat)} ${percent(sum)} ` +
          `${format(node.cum).padStart(10)} ${percent(node.cum)}                | ${printable(node.name)}`,
      ),
      '\n',
    );
    for (const { weight, to, inline } of sortEdges(node.out.values())) {
      lines.push(context(weight, to.name, inline));
    }
  }
  if (nodes.length > 0) lines.push(SEPARATOR);
  return { text: lines.join(''), shown };
}

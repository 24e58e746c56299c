import path from 'node:path';
import type { Granularity } from '../base/choices.js';
import { printable } from '../base/text.js';
import type { ProfileData } from '../profile/model.js';
import { cutDroppedFrames, type Filters, filterSamples, mergeSamples } from './filters.js';
import { type GraphNode, sortEdges, type TrimOptions, trimmedGraph } from './graph.js';
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
export function findSampleIndex({ sampleTypes, defaultSampleType }: ProfileData, name: string): number {
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

/** Subtracts the base, adds up equal samples, and cuts the frames that the profile says to drop. */
export function prepare(profile: ProfileData, base?: ProfileData): ProfileData {
  return cutDroppedFrames(mergeSamples(profile, base));
}

/** Makes the report that `go tool pprof` would make of a prepared profile. */
export function makeReport(prepared: ProfileData, options: ReportOptions, errors?: Errors): Report {
  const index = findSampleIndex(prepared, options.sampleIndex);
  const { type, unit } = prepared.sampleTypes[index]!;
  const total = prepared.samples.reduce((sum, { values }) => sum + Math.abs(values[index]!), 0);
  const { profile, unmatched } = filterSamples(prepared, options.filters);
  const { nodes, candidates, dropped } = trimmedGraph(profile, index, options.granularity, options);

  const { granularity } = options;
  const outputUnit = commonUnit(nodes, total, unit);
  const format = (value: number) =>
    granularity === 'places' ? formatCompact(value, unit) : formatValue(value, unit, outputUnit);
  const percent = (value: number) =>
    granularity === 'places' ? formatShare(value, total).padStart(6) : formatPercentage(value, total);

  const labels = profileLabels(profile, type, unit, total, format);
  const filters = Object.entries(options.filters).filter(([, regExp]) => regExp !== undefined);
  if (filters.length > 0) labels.push('Active filters:');
  for (const [name, regExp] of filters) labels.push(`   ${name}=${shorten(shownRegExp(regExp))}`);
  const flat = nodes.reduce((sum, node) => sum + node.flat, 0);
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
  const warnings = unmatched.map(
    (name) => `${name[0]!.toUpperCase()}${name.slice(1)} expression matched no samples`,
  );
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

function profileLabels(
  { mappings, comments, timeNanos, durationNanos }: ProfileData,
  type: string,
  unit: string,
  total: number,
  format: Report['format'],
): string[] {
  const labels: string[] = [];
  const binary = mappings[0];
  if (binary !== undefined && binary.fileName !== '') labels.push(`File: ${path.basename(binary.fileName)}`);
  if (binary !== undefined && binary.buildId !== '') labels.push(`Build ID: ${binary.buildId}`);
  labels.push(...comments.filter((comment) => !comment.startsWith('#')));
  labels.push(`Type: ${type}`);
  if (timeNanos) labels.push(`Time: ${formatTime(new Date(timeNanos / 1e6))}`);
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

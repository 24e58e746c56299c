import type { Granularity } from '../base/choices.js';
import { printable } from '../base/text.js';
import type { Labels } from '../profile/merged.js';
import { nodeName, withAddress } from './graph.js';
import { profileLabels, type View } from './report.js';
import { labelUnits } from './tag-filter.js';
import { formatPercentage, formatTenths, formatValue, scale } from './units.js';

const SEPARATOR = '-----------+-------------------------------------------------------\n';

/** `go tool pprof -traces`: each sample with its labels and its stack. */
export function* formatTraces(view: View, granularity: Granularity): Generator<string> {
  const { profile, index, unit } = view;
  const format = (value: number) => formatValue(value, unit, 'minimum');
  yield profileLabels(view, format)
    .map((label) => `${label}\n`)
    .join('') || '\n';
  const units = labelUnits(profile);
  const texts = new Map<Labels, string>();
  const lines = profile.locations.map(({ frames, address, mapping, hasLines }) =>
    frames.map((frame, at) => {
      const placed = granularity === 'addresses' ? withAddress(frame, address) : frame;
      const inlined = hasLines && at < frames.length - 1 ? ' (inline)' : '';
      return `${printable(nodeName(placed, granularity, mapping))}${inlined}\n`;
    }),
  );
  for (const i of profile.kept) {
    const parts = [SEPARATOR];
    const labels = profile.labels[i]!;
    let text = texts.get(labels);
    if (text === undefined) {
      text = labelLines(labels, units);
      texts.set(labels, text);
    }
    parts.push(text);
    let first = format(Number(profile.columns[index]![i]!));
    let depth = 0;
    for (let at = profile.starts[i]!; at < profile.ends[i]!; at++) {
      const location = profile.stacks[at]!;
      if (profile.hidden[location] === 1) continue;
      for (const line of lines[location]!) {
        parts.push(first.padStart(10), '   ', line);
        first = '';
        depth++;
      }
    }
    if (depth > 0) yield parts.join('');
  }
  yield SEPARATOR;
}

function labelLines({ labels, numLabels }: Labels, units: ReadonlyMap<string, string>): string {
  const line = (key: string, values: readonly string[]) =>
    `${printable(`${key.padStart(10)}:  ${values.join(' ')}`)}\n`;
  const texts = Object.entries(labels).map(([key, values]) => line(key, values));
  const numbers = Object.entries(numLabels).map(([key, values]) =>
    line(
      key,
      values.map((value) => formatValue(value, units.get(key)!)),
    ),
  );
  return [...texts.sort(), ...numbers.sort()].join('');
}

/** `go tool pprof -tags`: what the samples of each label come to. */
export function formatTags({ profile, index, unit }: View): string {
  const units = labelUnits(profile);
  const sums = new Map<string, Map<string, number>>();
  for (const i of profile.kept) {
    const value = Number(profile.columns[index]![i]!);
    const { labels, numLabels } = profile.labels[i]!;
    const add = (key: string, text: string) => {
      let ofKey = sums.get(key);
      if (ofKey === undefined) {
        ofKey = new Map();
        sums.set(key, ofKey);
      }
      ofKey.set(text, (ofKey.get(text) ?? 0) + value);
    };
    for (const key of Object.keys(labels)) for (const text of labels[key]!) add(key, text);
    for (const key of Object.keys(numLabels)) {
      for (const number of numLabels[key]!) add(key, formatValue(number, units.get(key)!, 'minimum'));
    }
  }
  const figure = (value: number) => {
    const [scaled, name] = scale(value, unit, 'minimum');
    return `${formatTenths(scaled)}${name}`;
  };
  const blocks = [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
  return blocks
    .map(([key, values]) => {
      const total = [...values.values()].reduce((sum, value) => sum + value, 0);
      const rows = [...values]
        .sort(([a, x], [b, y]) => Math.abs(y) - Math.abs(x) || (a < b ? -1 : 1))
        .map(([text, value]) => {
          const share = total > 0 ? ` (${formatPercentage(value, total)})` : '';
          return [`${figure(value)}${share}:`, text] as const;
        });
      const head = printable(key);
      const keyWidth = [...head].length + 2;
      const width = Math.max(...rows.map(([shown]) => [...shown].length)) + 1;
      const lines = rows.map(
        ([shown, text]) => `${' '.repeat(keyWidth)}${shown.padStart(width)} ${printable(text)}\n`,
      );
      return ` ${head}: Total ${figure(total)}\n${lines.join('')}\n`;
    })
    .join('');
}

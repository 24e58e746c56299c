import type { Labels, MergedProfile } from '../profile/merged.js';
import { scale } from './units.js';

/** What `--tagfocus` and `--tagignore` say: `REGEX`, `KEY=REGEX`, `64kb:1mb`, `bytes=:512`. */
export interface TagFilter {
  source: string;
  key: string | undefined;
  /** Whether a number of a label, in this unit, is in the range; undefined if the text is no range. */
  inRange: ((value: number, unit: string) => boolean) | undefined;
  /** All of these must match, or one of them if there is a key: Go's rules. */
  patterns: readonly RegExp[];
}

const RANGE = /([+-]?[0-9]+)([A-Za-z]+)?/g;

/** `compile` throws for what is no regular expression. */
export function parseTagFilter(source: string, compile: (text: string) => RegExp): TagFilter {
  const equals = source.indexOf('=');
  const key = equals === -1 ? undefined : source.slice(0, equals);
  const text = source.slice(equals + 1);
  const inRange = parseRange(text);
  return { source, key, inRange, patterns: inRange === undefined ? text.split(',').map(compile) : [] };
}

/** `32kb` is that, `:64kb` up to that, `4mb:` from that, `12kb:64mb` from one to the other, both included. */
function parseRange(text: string): TagFilter['inRange'] {
  const [first, second] = [...text.matchAll(RANGE)];
  if (first === undefined) return undefined;
  const [low, unit] = scale(Number(first[1]), first[2] ?? '', first[2] ?? '');
  const test = (compare: (value: number) => boolean) => (value: number, from: string) => {
    const [scaled, scaledUnit] = scale(value, from, unit);
    return scaledUnit === unit && compare(scaled);
  };
  if (second === undefined) {
    if (text === first[0]) return test((value) => value === low);
    if (text === `${first[0]}:`) return test((value) => value >= low);
    if (text === `:${first[0]}`) return test((value) => value <= low);
    return undefined;
  }
  if (text !== `${first[0]}:${second[0]}`) return undefined;
  const [high, highUnit] = scale(Number(second[1]), second[2] ?? '', unit);
  return highUnit === unit ? test((value) => value >= low && value <= high) : undefined;
}

/** Units of the numbers of labels, by key: the first that a sample has, else by the key itself. */
export function labelUnits({ labels, count }: MergedProfile): Map<string, string> {
  const units = new Map<string, string>();
  const seen = new Set<Labels>();
  for (let i = 0; i < count; i++) {
    const each = labels[i]!;
    if (seen.has(each)) continue;
    seen.add(each);
    for (const key of Object.keys(each.numLabels)) {
      const unit = each.numUnits?.[key]?.find((name) => name !== '');
      if (!units.get(key)) units.set(key, unit ?? '');
    }
  }
  for (const [key, unit] of units) {
    if (unit === '') units.set(key, key === 'alignment' || key === 'request' ? 'bytes' : key);
  }
  return units;
}

/** Whether sample i passes both; also notes which of them matched anything. */
export function tagMatcher(
  profile: MergedProfile,
  focus: TagFilter | undefined,
  ignore: TagFilter | undefined,
  matched: Set<string>,
): (i: number) => boolean {
  if (focus === undefined && ignore === undefined) return () => true;
  const units = labelUnits(profile);
  const decided = new Map<Labels, boolean>();
  return (i) => {
    const labels = profile.labels[i]!;
    let passes = decided.get(labels);
    if (passes === undefined) {
      const focused = focus === undefined || matches(labels, focus, units);
      const ignored = ignore !== undefined && matches(labels, ignore, units);
      if (focused) matched.add('tagfocus');
      if (ignored) matched.add('tagignore');
      passes = focused && !ignored;
      decided.set(labels, passes);
    }
    return passes;
  };
}

function matches(
  { labels, numLabels }: Labels,
  { key, inRange, patterns }: TagFilter,
  units: Map<string, string>,
): boolean {
  if (inRange !== undefined) {
    return Object.entries(numLabels).some(
      ([name, values]) =>
        (key === undefined || name === key) && values.some((value) => inRange(value, units.get(name)!)),
    );
  }
  if (key !== undefined) {
    return (labels[key] ?? []).some((value) => patterns.some((pattern) => pattern.test(value)));
  }
  const texts = Object.entries(labels).flatMap(([name, values]) => values.map((value) => `${name}:${value}`));
  return patterns.every((pattern) => texts.some((text) => pattern.test(text)));
}

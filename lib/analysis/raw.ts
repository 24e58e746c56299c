import { printable } from '../base/text.js';
import { functionNames } from '../profile/locations.js';
import type { Labels, Location } from '../profile/merged.js';
import type { Mapping } from '../profile/model.js';
import type { FilteredProfile } from './filters.js';

/** `go tool pprof -raw`: all of a profile as text. */
export function* formatRaw(profile: FilteredProfile): Generator<string> {
  const { head, locations, mappings } = profile;
  const { comments, periodType, period, exactPeriod, timeNanos = 0, durationNanos = 0 } = head;
  for (const comment of comments) yield `Comment: ${printable(comment)}\n`;
  yield `PeriodType: ${printable(`${periodType.type} ${periodType.unit}`)}\n`;
  yield `Period: ${exactPeriod ?? BigInt(Math.trunc(period))}\n`;
  const time = head.exactTimeNanos ?? BigInt(timeNanos);
  if (time !== 0n) yield `Time: ${formatTime(time)}\n`;
  const duration = head.exactDurationNanos ?? BigInt(durationNanos);
  if (duration !== 0n) yield `Duration: ${formatDuration(duration).slice(0, 4)}\n`;
  const types = profile.sampleTypes.map(
    ({ type, unit }) => `${type}/${unit}${type === (head.statedSampleType ?? '') ? '[dflt]' : ''}`,
  );
  yield `Samples:\n${printable(types.join(' ').trim())}\n`;
  const texts = new Map<Labels, string>();
  for (const i of profile.kept) {
    const labels = profile.labels[i]!;
    let text = texts.get(labels);
    if (text === undefined) {
      text = labelLines(labels);
      texts.set(labels, text);
    }
    yield `${valuesOf(profile, i)}: ${stackOf(profile, i)}\n${text}`;
  }
  yield 'Locations\n';
  const ids = new Map(mappings.map((mapping, at) => [mapping, at + 1]));
  for (const [at, location] of locations.entries()) yield locationLines(location, at + 1, ids);
  yield 'Mappings\n';
  const allNamed = locations.every(({ hasLines }) => hasLines);
  for (const [at, mapping] of mappings.entries()) yield mappingLine(mapping, at + 1, allNamed);
}

function valuesOf({ columns }: FilteredProfile, i: number): string {
  return columns.map((column) => ` ${String(exact(column[i]!)).padStart(10)}`).join('');
}

function exact(value: number | bigint): bigint {
  return typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
}

function stackOf({ stacks, starts, ends, hidden }: FilteredProfile, i: number): string {
  const ids: string[] = [];
  for (let at = starts[i]!; at < ends[i]!; at++) {
    const location = stacks[at]!;
    if (hidden[location] !== 1) ids.push(`${location + 1} `);
  }
  return ids.join('');
}

function labelLines({ labels, numLabels, exactNumLabels, numUnits }: Labels): string {
  const indent = ' '.repeat(16);
  const texts = Object.entries(labels).map(([key, values]) => `${key}:[${values.join(' ')}]`);
  const numbers = Object.keys(numLabels).map((key) => {
    const values: readonly (number | bigint)[] = exactNumLabels?.[key] ?? numLabels[key]!;
    const units = numUnits?.[key];
    const shown = values.map((value, at) => `${exact(value)}${units === undefined ? '' : ` ${units[at]}`}`);
    return `${key}:[${shown.join(' ')}]`;
  });
  const line = (list: string[]) =>
    list.length === 0 ? '' : `${indent}${printable(list.sort().join(' '))}\n`;
  return line(texts) + line(numbers);
}

function locationLines(location: Location, id: number, ids: ReadonlyMap<Mapping, number>): string {
  const { address, mapping, folded, frames, hasLines } = location;
  const mapped = mapping === undefined ? '' : `M=${ids.get(mapping)} `;
  const head = `${String(id).padStart(6)}: 0x${address.toString(16)} ${mapped}${folded ? '[F] ' : ''}`;
  if (!hasLines) return `${head}\n`;
  return frames
    .map((frame, at) => {
      const { functionName: name, fileName, lineNumber, startLine = lineNumber } = frame;
      const systemName = frame.systemName ?? functionNames(frame)[1];
      const system = systemName === name ? '' : `(${systemName})`;
      const line = `${name} ${fileName}:${lineNumber} s=${startLine}${system}`;
      return `${at === 0 ? head : ' '.repeat(13)}${printable(line)}\n`;
    })
    .join('');
}

/** What a text says of its symbols is what a proto of it would say. */
function mappingLine(mapping: Mapping, id: number, allNamed: boolean): string {
  const { start, limit, offset, exact, fileName, buildId, known } = mapping;
  const hex = (value: number, precise: bigint | undefined) => {
    // The end of all addresses is no address.
    const whole = precise ?? BigInt(value);
    return `0x${(whole >= 2n ** 64n ? 2n ** 64n - 1n : whole).toString(16)}`;
  };
  const range = [hex(start, exact?.start), hex(limit, exact?.limit), hex(offset, exact?.offset)].join('/');
  const flags = [
    (known?.functions ?? allNamed) && '[FN]',
    (known?.fileNames ?? allNamed) && '[FL]',
    (known?.lineNumbers ?? allNamed) && '[LN]',
    known?.inlinedCalls && '[IN]',
  ];
  return `${printable(`${id}: ${range} ${fileName} ${buildId} ${flags.filter(Boolean).join('')}`)}\n`;
}

/** `2026-11-23 01:45:00.5 +0000 UTC`: Go's `time.Time`. */
function formatTime(nanos: bigint): string {
  const millis = Number(nanos / 1_000_000n) - (nanos % 1_000_000n < 0n ? 1 : 0);
  const time = new Date(millis);
  const two = (value: number) => String(value).padStart(2, '0');
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  const offset = -time.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const name =
    new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
      .formatToParts(time)
      .find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}${digits}`;
  return `${day} ${clock} ${zone} ${name}`;
}

/** `1h2m3.5s`, `1.5ms`: Go's `time.Duration`. */
function formatDuration(nanos: bigint): string {
  if (nanos < 0n) return `-${formatDuration(-nanos)}`;
  const decimal = (unit: bigint, name: string) => {
    const fraction = String(nanos % unit)
      .padStart(String(unit).length - 1, '0')
      .replace(/0+$/, '');
    return `${nanos / unit}${fraction === '' ? '' : `.${fraction}`}${name}`;
  };
  if (nanos < 1_000n) return `${nanos}ns`;
  if (nanos < 1_000_000n) return decimal(1_000n, 'µs');
  if (nanos < 1_000_000_000n) return decimal(1_000_000n, 'ms');
  const minutes = nanos / 60_000_000_000n;
  const rest = nanos % 60_000_000_000n;
  const seconds = rest === 0n ? '0s' : formatSeconds(rest);
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function formatSeconds(nanos: bigint): string {
  const fraction = String(nanos % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${nanos / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}s`;
}

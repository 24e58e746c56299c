import { Allowance, LIMITS } from '../../profile/limits.js';
import { type AddressRange, withoutRounding } from './address-space.js';
import type { Lines } from './lines.js';

// The memory map at the end of a text, read by the rules of Go's legacy reader (parseProcMaps, massageMappings).

export const MAPPING_SECTIONS = /--- Memory map: ---|MAPPED_LIBRARIES:/;

const HEX_RANGE =
  '[\\t\\f\\r ]*(?:0x)?([0-9a-fA-F]{1,17})[\\t\\f\\r -]?[\\t\\f\\r ]*(?:0x)?([0-9a-fA-F]{1,17}):?';
const PERMISSIONS = '(?:[\\t\\f\\r ]+([-rwxp]+))?';
const NAME = '(?:[\\t\\f\\r ]+([^\\t\\f\\r ]+))?';
const HEX = '(?:[\\t\\f\\r ]+([0-9a-fA-F]+))?';
/** `00400000-00500000 r-xp 00000000 08:01 1234 /usr/bin/app`, as in Linux's `/proc/self/maps`. */
const PROC_MAPS = new RegExp(
  `^${HEX_RANGE}${PERMISSIONS}${HEX}[\\t\\f\\r ]+[0-9a-fA-F]+:[0-9a-fA-F]+[\\t\\f\\r ]+[0-9]+${NAME}`,
);
/** `0x40000-0x80000 /path/to/binary (@FF00) abc123456`. */
const BRIEF = new RegExp(`^${HEX_RANGE}${PERMISSIONS}${NAME}(?:[\\t\\f\\r ]+\\(@([0-9a-fA-F]+)\\))?${HEX}`);
/** More digits than an address has, in the first two words. */
const TOO_LONG = /^[\t\f\r ]*(?:[^\t\f\r ]*[\t\f\r ]+)?[^\t\f\r ]*[0-9a-fA-F]{18}/;
/** What the glog package writes before a line: `I0102 03:04:05.678 1234 file.cc:12] `. */
const LOG_PREFIX = /^[^[\]]+:[0-9]+\][\t\f\r ]/;
const LIBRARY = /\.so$|\.so[._][0-9]+/;

const MAX_ADDRESS = 2n ** 64n - 1n;
const MAX_ATTRIBUTES = 100;
const MAIN_START = 0x400000n;

/** The executable mappings of the rest of the lines, the program first; lines that are none are skipped, as Go does. */
export function readMappings(lines: Lines): AddressRange[] {
  const ranges: AddressRange[] = [];
  const allowance = new Allowance(LIMITS.mappings, 'mappings');
  const attributes = new Attributes();
  while (lines.next()) {
    const line = attributes.replaceIn(lines.utf8().replace(LOG_PREFIX, ''));
    const range = line === undefined ? undefined : parseMapping(line);
    if (range === 'unknown') attributes.add(line!);
    else if (range !== undefined) {
      allowance.take();
      ranges.push(range);
    }
  }
  return withMainFirst(joined(ranges));
}

/** `build=/x`: `$build` stands for `/x` in the lines below. */
class Attributes {
  readonly #values: [name: string, value: string][] = [];

  add(line: string): void {
    const equals = line.indexOf('=');
    if (equals === -1 || this.#values.length >= MAX_ATTRIBUTES) return;
    this.#values.push([`$${line.slice(0, equals).trim()}`, line.slice(equals + 1).trim()]);
  }

  /** Undefined if the line would become too long. */
  replaceIn(line: string): string | undefined {
    if (this.#values.length === 0 || !line.includes('$')) return line;
    let replaced = '';
    let at = 0;
    for (let dollar = line.indexOf('$'); dollar !== -1; dollar = line.indexOf('$', at)) {
      const known = this.#values.find(([name]) => line.startsWith(name, dollar));
      replaced += line.slice(at, dollar) + (known?.[1] ?? '$');
      at = dollar + (known?.[0].length ?? 1);
      if (replaced.length > LIMITS.lineBytes) return undefined;
    }
    return replaced + line.slice(at);
  }
}

/** Undefined for one that is not executable. */
function parseMapping(line: string): AddressRange | 'unknown' | undefined {
  if (TOO_LONG.test(line)) return 'unknown';
  const full = PROC_MAPS.exec(line);
  const brief = full === null ? BRIEF.exec(line) : null;
  if (full === null && brief === null) return 'unknown';
  const [, start, limit, permissions] = (full ?? brief)!;
  const [offset, fileName, buildId] =
    full !== null ? [full[4], full[5], ''] : [brief![5], brief![4], brief![6]];
  if (permissions !== undefined && !permissions.includes('x')) return undefined;
  const [from, to, at] = [start, limit, offset ?? '0'].map((digits) => BigInt(`0x${digits}`)) as [
    bigint,
    bigint,
    bigint,
  ];
  if (from > MAX_ADDRESS || to > MAX_ADDRESS || at > MAX_ADDRESS) return 'unknown';
  return { start: from, limit: to, offset: at, fileName: fileName ?? '', buildId: buildId ?? '' };
}

/** Mappings that were split in two are one again. */
function joined(ranges: readonly AddressRange[]): AddressRange[] {
  const result: AddressRange[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    if (last === undefined || !isContinued(last, range)) {
      result.push(range);
      continue;
    }
    last.limit = range.limit;
    last.fileName = range.fileName || last.fileName;
    last.buildId = range.buildId || last.buildId;
  }
  return result;
}

function isContinued(first: AddressRange, second: AddressRange): boolean {
  const differs = (a: string, b: string) => a !== '' && b !== '' && a !== b;
  if (differs(first.fileName, second.fileName) || differs(first.buildId, second.buildId)) return false;
  if (first.limit !== second.start) return false;
  if (first.offset === 0n || second.offset === 0n) return true;
  return withoutRounding(first.offset + first.limit - first.start) === second.offset;
}

/** What is most likely the program comes first, in exchange for what was there; and where it most likely begins. */
function withMainFirst(ranges: AddressRange[]): AddressRange[] {
  const main = ranges.findIndex(({ fileName }) => {
    const file = fileName.replaceAll('(deleted)', '').trim();
    return file !== '' && !LIBRARY.test(file) && !file.startsWith('[');
  });
  if (main > 0) [ranges[0], ranges[main]] = [ranges[main]!, ranges[0]!];
  const [first, second] = ranges;
  if (first?.fileName.startsWith('/anon_hugepage') && first.limit === second?.start) ranges.shift();
  const program = ranges[0];
  if (program !== undefined && withoutRounding(program.start - program.offset) === MAIN_START) {
    program.start = MAIN_START;
    program.offset = 0n;
  }
  return ranges;
}

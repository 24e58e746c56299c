import { Allowance, LIMITS } from '../../profile/limits.js';
import type { Mapping } from '../../profile/model.js';
import type { Lines } from './lines.js';

export const MAPPING_SECTIONS = /--- Memory map: ---|MAPPED_LIBRARIES:/;

/** `00400000-00500000 r-xp 00000000 08:01 1234 /usr/bin/app`, as in Linux's `/proc/self/maps`. */
const PROC_MAPS =
  /^(?:0x)?([0-9a-f]{1,16})-(?:0x)?([0-9a-f]{1,16}):? +([-rwxps]+) +([0-9a-f]{1,16}) +[0-9a-f]+:[0-9a-f]+ +\d+(?: +(\S+))?/i;
/** `0x40000-0x80000 /path/to/binary (@FF00) abc123456`. */
const BRIEF =
  /^(?:0x)?([0-9a-f]{1,16})-(?:0x)?([0-9a-f]{1,16}):?(?: +([-rwxp]+)(?= |$))?(?: +(\S+))?(?: +\(@([0-9a-f]{1,16})\))?(?: +([0-9a-f]+))?$/i;

/** The executable mappings of the rest of the lines, each known form a line; others are skipped, as Go does. */
export function readMappings(lines: Lines): Mapping[] {
  const mappings: Mapping[] = [];
  const allowance = new Allowance(LIMITS.mappings, 'mappings');
  while (lines.next()) {
    const mapping = parseMapping(lines.utf8());
    if (mapping === undefined) continue;
    allowance.take();
    const last = mappings.at(-1);
    if (last !== undefined && isContinued(last, mapping)) last.limit = mapping.limit;
    else mappings.push(mapping);
  }
  return mappings;
}

function parseMapping(line: string): Mapping | undefined {
  const full = PROC_MAPS.exec(line);
  if (full !== null) {
    const [, start, limit, permissions, offset, fileName] = full;
    return toMapping(start, limit, permissions, offset, fileName, '');
  }
  const brief = BRIEF.exec(line);
  if (brief === null) return undefined;
  const [, start, limit, permissions, fileName, offset, buildId] = brief;
  return toMapping(start, limit, permissions, offset, fileName, buildId);
}

function toMapping(
  start = '',
  limit = '',
  permissions = 'x',
  offset = '0',
  fileName = '',
  buildId = '',
): Mapping | undefined {
  if (!permissions.includes('x')) return undefined;
  return { start: hex(start), limit: hex(limit), offset: hex(offset), fileName, buildId };
}

function hex(digits: string): number {
  return Number(`0x${digits}`);
}

/** Whether the second is the rest of the first, split in two. */
function isContinued(first: Mapping, second: Mapping): boolean {
  return (
    first.fileName === second.fileName &&
    first.buildId === second.buildId &&
    first.limit === second.start &&
    (first.offset === 0 || second.offset === 0 || first.offset + first.limit - first.start === second.offset)
  );
}

import type { ParseOptions } from '../../profile/model.js';
import {
  guardedPoissonScaling,
  noScaling,
  poissonScaling,
  ratioScaling,
  type ScalePair,
} from './legacy-scaling.js';
import type { Lines } from './lines.js';

export type Scaling = NonNullable<ParseOptions['scaling']>;

export interface LegacyHeader {
  /** Whether the file has figures of all allocations; else only those in use are read. */
  hasAlloc: boolean;
  period: number;
  scale: ScalePair;
  /** Whether figures are as they stand in the file: all their digits count then. */
  isRaw: boolean;
}

const EXPECTED = "a header such as 'heap profile: 1: 8 [2: 16] @ heap/1048576'";
const MAX_INT64 = 2 ** 63;
const PERL_DEFAULT_INTERVAL = 128 * 1024;

const GO = /heap profile: *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\] *@ *(heap[_a-z0-9]*)\/?(\d*)/;
const GO_UNSCALED = /heap profile: *\d+: *\d+ *\[ *\d+: *\d+ *\] @ (?:growth|fragmentation)z?/;
const PERL = /^heap profile:\s*(\d+):\s+(\d+)\s+\[\s*(\d+):\s+(\d+)\](?:\s*@\s*([^/]*)(?:\/(\d+))?)?/;

/** The header line of a text in gperftools' manner: `heap profile: 1: 8 [2: 16] @ heap/1048576`. */
export function readHeader(lines: Lines, scaling: Scaling): LegacyHeader {
  return scaling === 'perl' ? readPerlHeader(lines) : readGoHeader(lines, scaling);
}

function readGoHeader(lines: Lines, scaling: Scaling): LegacyHeader {
  const line = lines.latin1();
  const header = GO.exec(line);
  if (header === null) {
    if (GO_UNSCALED.test(line)) return { hasAlloc: false, period: 1, scale: noScaling, isRaw: true };
    throw lines.error(EXPECTED);
  }
  const [, inUseObjects = '', inUseBytes = '', allocObjects = '', allocBytes = '', type = '', rate = ''] =
    header;
  const interval = Number(rate);
  if (!(interval < MAX_INT64)) throw lines.error('a sample interval of 64 bits');
  const period = periodOf(type, interval);
  if (period === undefined) throw lines.error("'heap', 'heap_v2', 'heapz_v2' or 'heapprofile' after the @");
  const scaled = type !== 'heapprofile' && scaling === 'go';
  return {
    // Digits are compared, as Go does.
    hasAlloc:
      (allocObjects !== inUseObjects && allocObjects !== '0') ||
      (allocBytes !== inUseBytes && allocBytes !== '0'),
    period,
    scale: scaled ? poissonScaling(period) : noScaling,
    isRaw: !scaled || period <= 1,
  };
}

function periodOf(type: string, interval: number): number | undefined {
  switch (type) {
    case 'heap_v2':
    case 'heapz_v2':
      return interval;
    case 'heap':
      return Math.trunc(interval / 2);
    case 'heapprofile':
      return 1;
    default:
      return undefined;
  }
}

function readPerlHeader(lines: Lines): LegacyHeader {
  const header = PERL.exec(lines.latin1());
  if (header === null) throw lines.error(EXPECTED);
  const [, inUseObjects, inUseBytes, allocObjects, allocBytes, type = '', rate = ''] = header;
  const raw = { hasAlloc: true, period: 1, scale: noScaling, isRaw: true };
  if (type === '') {
    const remote = Number(inUseObjects) === Number(allocObjects) && Number(inUseBytes) === Number(allocBytes);
    if (!remote) return raw;
  } else if (type === 'heapprofile' || !type.includes('heap')) {
    return raw;
  }
  const given = type.includes('_v2') ? Number(rate) : Number(rate) / 2;
  const interval = given > 0 && given < MAX_INT64 ? given : PERL_DEFAULT_INTERVAL;
  const scale = type.includes('_v2') ? guardedPoissonScaling(interval) : ratioScaling(interval);
  return { hasAlloc: true, period: interval, scale, isRaw: false };
}

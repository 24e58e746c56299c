import { NO_LABELS, newLabels } from '../../profile/labels.js';
import { Allowance, LIMITS } from '../../profile/limits.js';
import type { Mapping, ProfileData, ProfileFrame, Sample, SampleType } from '../../profile/model.js';
import { type LegacyHeader, readHeader, type Scaling } from './legacy-header.js';
import { guardedPoissonScaling, noScaling, poissonScaling } from './legacy-scaling.js';
import { Lines } from './lines.js';
import { MAPPING_SECTIONS, readMappings } from './mappings.js';
import { SymbolTable } from './symbols.js';

/** What stands in a line: four figures and, in hexadecimal, the return addresses of the stack. */
interface RecordLine {
  inUse: readonly [objects: number, bytes: number];
  alloc: readonly [objects: number, bytes: number];
  addresses: string;
}

const EXPECTED_RECORD = "a record such as '1: 8 [2: 16] @ 0x401001 0x402001'";
const MAX_INT64 = 2 ** 63;
const MAX_SHARED_LABELS = 10_000;

// Numbers are limited to 30 digits, and begin where their digits begin, to keep a search through a line linear.
const GO_RECORD = /(-?(?<!\d)\d{1,30}): *(-?\d{1,30}) *\[ *(\d{1,30}): *(\d{1,30}) *\] @([ x0-9a-f]*)/;
const PERL_RECORD = /^(\d{1,30}):\s+(\d{1,30})\s+\[\s*(\d{1,30}):\s+(\d{1,30})\]\s+@\s+(.*)$/;
const JEPROF_HEADER = /^heap_v2\/(\d{1,18})$/;
const JEPROF_FIGURES = /^t(\*|\d{1,30}): +(\d{1,30}): +(\d{1,30}) +\[ *(\d{1,30}): +(\d{1,30})\]$/;
const SYMBOL = /^0x0*([0-9a-f]{1,16})\s+(.+)/;

/** Whether a text that begins with this line is one of those read here. */
export function isLegacyHeader(line: string): boolean {
  return line.includes('heap profile:') || line.startsWith('--- symbol') || JEPROF_HEADER.test(line);
}

/**
 * Reads the texts of gperftools, Go (`debug=1`) and jemalloc, as `ParseOptions.scaling` says. Comments below a record
 * name its addresses.
 */
export function readLegacy(bytes: Uint8Array, scaling: Scaling): ProfileData {
  return new LegacyReader(bytes, scaling).read();
}

class LegacyReader {
  readonly #lines: Lines;
  readonly #symbols = new SymbolTable();
  readonly #samples: Sample[] = [];
  // Of the calls, leaf first, for each sample: what they are called is known at the end.
  readonly #addresses: (readonly number[])[] = [];
  readonly #sampleCount = new Allowance(LIMITS.samples, 'records');
  readonly #frames = new Allowance(LIMITS.frames, 'frames');
  readonly #skipped = new Allowance(LIMITS.skippedLines, 'lines that are no record');
  readonly #scratch: number[] = [];
  #mappings: Mapping[] = [];
  #hasSymbolSection = false;

  constructor(
    bytes: Uint8Array,
    readonly scaling: Scaling,
  ) {
    this.#lines = new Lines(bytes);
  }

  read(): ProfileData {
    const lines = this.#lines;
    lines.next();
    if (lines.latin1().startsWith('--- symbol')) this.#readSymbolSection();
    const jeprof = JEPROF_HEADER.exec(lines.latin1());
    const header =
      jeprof === null ? readHeader(lines, this.scaling) : this.#readJeprofHeader(Number(jeprof[1]));
    if (jeprof === null) this.#readRecords(header);
    else this.#readJeprofRecords(header);
    return {
      format: 'text',
      sampleTypes: sampleTypes(header),
      defaultSampleType: header.hasAlloc ? 'inuse_space' : 'space',
      periodType: { type: 'space', unit: 'bytes' },
      period: header.period,
      comments: [],
      mappings: this.#mappings.length > 0 ? this.#mappings : [{ ...ALL_ADDRESSES }],
      samples: this.#symbolizedSamples(),
    };
  }

  /** Leaves the lines at the header of the profile that follows. */
  #readSymbolSection(): void {
    const lines = this.#lines;
    if (this.scaling !== 'perl') {
      throw lines.error("'heap profile: …' (a file with a symbol section is read with the scaling 'perl')");
    }
    this.#hasSymbolSection = true;
    while (lines.next() && lines.latin1() !== '---') {
      const symbol = SYMBOL.exec(lines.utf8());
      if (symbol !== null) {
        this.#frames.take();
        this.#symbols.define(Number.parseInt(symbol[1]!, 16), symbol[2]!);
      }
    }
    if (!lines.next()) throw lines.error("'---' and a heap profile after the symbols");
    if (lines.latin1() === '--- heap') lines.next();
  }

  #readRecords(header: LegacyHeader): void {
    const lines = this.#lines;
    let comments: string[] = [];
    let record: readonly number[] | undefined;
    while (lines.next()) {
      const line = lines.latin1();
      if (line === '') continue;
      if (line.startsWith('#')) {
        const wanted = record !== undefined && comments.length < LIMITS.stackFrames;
        if (wanted && line.startsWith('#\t')) comments.push(lines.utf8());
        continue;
      }
      if (MAPPING_SECTIONS.test(line)) {
        this.#mappings = readMappings(lines);
        break;
      }
      const found = this.scaling === 'perl' ? this.#perlRecord(line) : this.#goRecord(line);
      if (found === undefined) continue;
      if (record !== undefined) this.#symbols.learn(comments, record);
      comments = [];
      record = this.#push(found, header);
    }
    if (record !== undefined) this.#symbols.learn(comments, record);
  }

  #goRecord(line: string): RecordLine {
    const match = GO_RECORD.exec(line);
    if (match === null) throw this.#lines.error(EXPECTED_RECORD);
    const [, inUseObjects, inUseBytes, allocObjects, allocBytes, addresses = ''] = match;
    return {
      inUse: [this.#int64(inUseObjects), this.#int64(inUseBytes)],
      alloc: [this.#int64(allocObjects), this.#int64(allocBytes)],
      addresses,
    };
  }

  /** Undefined for a line that is no record. */
  #perlRecord(line: string): RecordLine | undefined {
    const match = PERL_RECORD.exec(line);
    if (match === null) {
      this.#skipped.take();
      return undefined;
    }
    const [, inUseObjects, inUseBytes, allocObjects, allocBytes, addresses = ''] = match;
    return {
      inUse: [Number(inUseObjects), Number(inUseBytes)],
      alloc: [Number(allocObjects), Number(allocBytes)],
      addresses,
    };
  }

  #int64(digits: string | undefined): number {
    const value = Number(digits);
    if (Math.abs(value) >= MAX_INT64) throw this.#lines.error('integers of 64 bits');
    return value;
  }

  /** jemalloc's: `heap_v2/524288`, then the totals. */
  #readJeprofHeader(interval: number): LegacyHeader {
    const total = this.#lines.next() ? JEPROF_FIGURES.exec(this.#lines.latin1()) : null;
    if (total === null || total[1] !== '*') throw this.#lines.error("the totals, such as 't*: 1: 8 [2: 16]'");
    const [, , inUseObjects, inUseBytes, allocObjects, allocBytes] = total;
    if (this.scaling === 'perl') {
      return { hasAlloc: true, period: interval, scale: guardedPoissonScaling(interval) };
    }
    return {
      hasAlloc:
        (allocObjects !== inUseObjects && allocObjects !== '0') ||
        (allocBytes !== inUseBytes && allocBytes !== '0'),
      period: interval,
      scale: this.scaling === 'none' ? noScaling : poissonScaling(interval),
    };
  }

  /** A line `@ 0x401001 0x402001`, then the figures of all threads (`t*: …`) and of each, which are left out. */
  #readJeprofRecords(header: LegacyHeader): void {
    const lines = this.#lines;
    let addresses: string | undefined;
    while (lines.next()) {
      const line = lines.latin1();
      if (line === '' || line.startsWith('#')) continue;
      if (MAPPING_SECTIONS.test(line)) {
        this.#mappings = readMappings(lines);
        return;
      }
      if (line.startsWith('@')) {
        addresses = line.slice(1);
        continue;
      }
      const figures = JEPROF_FIGURES.exec(line);
      if (figures === null) {
        if (this.scaling !== 'perl') throw lines.error("'@ 0x401001 …' or 't*: 1: 8 [2: 16]'");
        this.#skipped.take();
      } else if (figures[1] === '*' && addresses !== undefined) {
        const [, , inUseObjects, inUseBytes, allocObjects, allocBytes] = figures;
        const inUse = [this.#int64(inUseObjects), this.#int64(inUseBytes)] as const;
        const alloc = [this.#int64(allocObjects), this.#int64(allocBytes)] as const;
        this.#push({ inUse, alloc, addresses }, header);
      }
    }
  }

  /** The addresses of the record. */
  #push({ inUse, alloc, addresses }: RecordLine, { hasAlloc, scale }: LegacyHeader): readonly number[] {
    this.#sampleCount.take();
    if (this.scaling !== 'perl') this.#refuseBytesWithoutObjects(inUse, hasAlloc ? alloc : [0, 0]);
    const values = scale(...inUse);
    if (hasAlloc) values.unshift(...scale(...alloc));
    const blockSize = meanSize(inUse) ?? (hasAlloc ? meanSize(alloc) : undefined) ?? 0;
    this.#samples.push({
      values: values.slice(),
      stack: [],
      labels: NO_LABELS,
      numLabels: this.#bytesLabel(blockSize),
    });
    const callAddresses = this.#callAddresses(addresses);
    this.#addresses.push(callAddresses);
    return callAddresses;
  }

  #refuseBytesWithoutObjects(...pairs: (readonly [number, number])[]): void {
    for (const [objects, bytes] of pairs) {
      if (objects === 0 && bytes !== 0) throw this.#lines.error('no bytes where there are 0 objects');
    }
  }

  /** Return addresses are one too high; but Perl takes that of the leaf as it is. */
  #callAddresses(text: string): number[] {
    // An array that grows takes more than it needs; the one given out is a copy.
    const addresses = this.#scratch;
    addresses.length = 0;
    for (let at = text.indexOf('0x'); at !== -1; at = text.indexOf('0x', at)) {
      const start = at + 2;
      let value = 0;
      at = start;
      for (let digit = hexDigit(text, at); digit !== -1; digit = hexDigit(text, ++at))
        value = value * 16 + digit;
      if (at === start) continue;
      this.#frames.take();
      const isKept = this.scaling === 'perl' && addresses.length === 0;
      const address = isKept ? value : value - 1;
      const isExact = value <= Number.MAX_SAFE_INTEGER && address >= 0;
      addresses.push(isExact ? address : this.#bigAddress(text.slice(start, at), isKept ? 0n : 1n));
    }
    return addresses.slice();
  }

  #bigAddress(digits: string, less: bigint): number {
    const value = BigInt(`0x${digits}`);
    if (value >= 2n ** 64n) throw this.#lines.error('addresses of 64 bits');
    return Number(BigInt.asUintN(64, value - less));
  }

  #symbolizedSamples(): Sample[] {
    for (const [i, sample] of this.#samples.entries()) {
      sample.stack = this.#stackOf(this.#addresses[i]!);
      this.#addresses[i] = [];
    }
    return this.#samples;
  }

  #stackOf(addresses: readonly number[]): readonly Readonly<ProfileFrame>[] {
    const stack: Readonly<ProfileFrame>[] = [];
    addresses.forEach((address, index) => {
      const frames = this.#symbols.framesAt(address, this.#symbolAddress(address, index));
      if (frames.length > 1) this.#frames.take(frames.length - 1);
      for (const frame of frames) stack.push(frame);
    });
    return stack.slice();
  }

  /** Symbol sections name addresses as they stand in the records, or one less; comments name calls. */
  #symbolAddress(address: number, index: number): number {
    if (this.scaling !== 'perl') return address;
    if (index === 0) return this.#hasSymbolSection ? address : address - 1;
    return this.#hasSymbolSection && this.#symbols.has(address + 1) ? address + 1 : address;
  }

  readonly #bytesLabels = new Map<number, Readonly<Record<string, readonly number[]>>>();

  #bytesLabel(size: number): Readonly<Record<string, readonly number[]>> {
    let label = this.#bytesLabels.get(size);
    if (label === undefined) {
      label = Object.assign(newLabels<number>(), { bytes: [size] });
      if (this.#bytesLabels.size < MAX_SHARED_LABELS) this.#bytesLabels.set(size, label);
    }
    return label;
  }
}

const ALL_ADDRESSES: Mapping = { start: 0, limit: 2 ** 64, offset: 0, fileName: '', buildId: '' };

function sampleTypes({ hasAlloc }: LegacyHeader): SampleType[] {
  const types = hasAlloc
    ? ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space']
    : ['objects', 'space'];
  return types.map((type) => ({ type, unit: type.endsWith('space') ? 'bytes' : 'count' }));
}

/** Undefined where there are no objects. */
function meanSize([objects, bytes]: readonly [number, number]): number | undefined {
  return objects === 0 ? undefined : Math.trunc(bytes / objects) + 0;
}

const CODE_0 = 0x30;
const CODE_9 = 0x39;
const CODE_A = 0x61;
const CODE_F = 0x66;

/** -1 where there is none. */
function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= CODE_0 && code <= CODE_9) return code - CODE_0;
  return code >= CODE_A && code <= CODE_F ? code - CODE_A + 10 : -1;
}

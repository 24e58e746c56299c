import { NO_LABELS, newLabels } from '../../profile/labels.js';
import { Allowance, LIMITS } from '../../profile/limits.js';
import type { ProfileData, ProfileFrame, Sample, SampleType } from '../../profile/model.js';
import { type AddressRange, AddressSpace } from './address-space.js';
import { isJavaHeader, readJavaHeap } from './java.js';
import { type LegacyHeader, readHeader, type Scaling } from './legacy-header.js';
import { guardedPoissonScaling, noScaling, poissonScaling } from './legacy-scaling.js';
import type { Lines } from './lines.js';
import { MAPPING_SECTIONS, readMappings } from './mappings.js';
import { type Address, SymbolTable, toAddress } from './symbols.js';

/** What stands in a line: four figures and, in hexadecimal, the return addresses of the stack. */
interface RecordLine {
  inUse: Pair;
  alloc: Pair;
  addresses: string;
}

/** Bigints where numbers would be rounded. */
type Pair = readonly [objects: number | bigint, bytes: number | bigint];

const EXPECTED_RECORD = "a record such as '1: 8 [2: 16] @ 0x401001 0x402001'";
const MAX_SHARED_LABELS = 10_000;

// Numbers are limited to 30 digits, and begin where their digits begin, to keep a search through a line linear.
const GO_RECORD = /(-?(?<!\d)\d{1,30}): *(-?\d{1,30}) *\[ *(\d{1,30}): *(\d{1,30}) *\] @([ x0-9a-f]*)/;
const PERL_RECORD = /^(\d{1,30}):\s+(\d{1,30})\s+\[\s*(\d{1,30}):\s+(\d{1,30})\]\s+@\s+(.*)$/;
const JEPROF_HEADER = /^heap_v2\/(\d{1,18})$/;
const JEPROF_FIGURES = /^t(\*|\d{1,30}): +(\d{1,30}): +(\d{1,30}) +\[ *(\d{1,30}): +(\d{1,30})\]$/;
const SYMBOL = /^0x0*([0-9a-f]{1,16})\s+(.+)/;

/** Whether a text that begins with this line is one of those read here. */
export function isLegacyHeader(line: string): boolean {
  return (
    line.includes('heap profile:') ||
    line.startsWith('--- symbol') ||
    JEPROF_HEADER.test(line) ||
    isJavaHeader(line)
  );
}

/**
 * Reads the texts of gperftools, Go (`debug=1`) and jemalloc, as `ParseOptions.scaling` says. Comments below a record
 * name its addresses.
 */
export function readLegacy(lines: Lines, scaling: Scaling): ProfileData {
  if (lines.next() && isJavaHeader(lines.latin1())) return readJavaHeap(lines, scaling);
  return new LegacyReader(lines, scaling).read();
}

class LegacyReader {
  readonly #lines: Lines;
  readonly #symbols = new SymbolTable();
  readonly #samples: Sample[] = [];
  // Of the calls, leaf first, of all samples: what they are called is known at the end. A million stacks fit.
  readonly #stacks = new AddressStacks();
  readonly #sampleCount = new Allowance(LIMITS.samples, 'records');
  readonly #frames = new Allowance(LIMITS.frames, 'frames');
  readonly #skipped = new Allowance(LIMITS.skippedLines, 'lines that are no record');
  readonly #scratch: Address[] = [];
  readonly #scaling: Scaling;
  #ranges: AddressRange[] = [];
  readonly #hasSymbolSection: boolean;
  /** Addresses, and what is refused, are those of the Perl readers. */
  readonly #isPerl: boolean;

  /** The first line has been read. */
  constructor(lines: Lines, scaling: Scaling) {
    this.#lines = lines;
    // Only the Perl readers know symbol sections.
    this.#hasSymbolSection = lines.latin1().startsWith('--- symbol');
    this.#isPerl = scaling === 'perl' || this.#hasSymbolSection;
    this.#scaling = scaling !== 'none' && this.#isPerl ? 'perl' : scaling;
  }

  read(): ProfileData {
    const lines = this.#lines;
    if (this.#hasSymbolSection) this.#readSymbolSection();
    const jeprof = JEPROF_HEADER.exec(lines.latin1());
    const header =
      jeprof === null ? readHeader(lines, this.#scaling) : this.#readJeprofHeader(Number(jeprof[1]));
    if (jeprof === null) this.#readRecords(header);
    else this.#readJeprofRecords(header);
    const space = new AddressSpace(this.#ranges);
    const samples = this.#symbolizedSamples(space);
    return {
      format: 'text',
      sampleTypes: sampleTypes(header),
      defaultSampleType: header.hasAlloc ? 'inuse_space' : 'space',
      periodType: { type: 'space', unit: 'bytes' },
      period: header.period,
      comments: [],
      mappings: space.finish(),
      samples,
    };
  }

  /** Leaves the lines at the header of the profile that follows. */
  #readSymbolSection(): void {
    const lines = this.#lines;
    while (lines.next() && lines.latin1() !== '---') {
      const symbol = SYMBOL.exec(lines.utf8());
      if (symbol !== null) {
        this.#frames.take();
        this.#symbols.define(toAddress(BigInt(`0x${symbol[1]}`)), symbol[2]!);
      }
    }
    if (!lines.next()) throw lines.error("'---' and a heap profile after the symbols");
    // `google-pprof --raw` and `jeprof --raw` write these.
    if (/^--- (?:heap|profile)$/.test(lines.latin1())) lines.next();
  }

  #readRecords(header: LegacyHeader): void {
    const lines = this.#lines;
    let comments: string[] = [];
    let record: readonly Address[] | undefined;
    while (lines.next()) {
      const line = lines.latin1();
      if (line === '') continue;
      if (line.startsWith('#')) {
        const wanted = record !== undefined && comments.length < LIMITS.stackFrames;
        if (wanted && line.startsWith('#\t')) comments.push(lines.utf8());
        continue;
      }
      if (MAPPING_SECTIONS.test(line)) {
        this.#ranges = readMappings(lines);
        break;
      }
      const found = this.#isPerl ? this.#perlRecord(line) : this.#goRecord(line);
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

  #int64(digits = ''): number | bigint {
    const value = Number(digits);
    if (Number.isSafeInteger(value)) return value;
    const exact = BigInt(digits);
    if (exact !== BigInt.asIntN(64, exact)) throw this.#lines.error('integers of 64 bits');
    return exact;
  }

  /** jemalloc's: `heap_v2/524288`, then the totals. */
  #readJeprofHeader(interval: number): LegacyHeader {
    const total = this.#lines.next() ? JEPROF_FIGURES.exec(this.#lines.latin1()) : null;
    if (total === null || total[1] !== '*') throw this.#lines.error("the totals, such as 't*: 1: 8 [2: 16]'");
    const [, , inUseObjects, inUseBytes, allocObjects, allocBytes] = total;
    if (this.#scaling === 'perl') {
      return { hasAlloc: true, period: interval, scale: guardedPoissonScaling(interval), isRaw: false };
    }
    return {
      hasAlloc:
        (allocObjects !== inUseObjects && allocObjects !== '0') ||
        (allocBytes !== inUseBytes && allocBytes !== '0'),
      period: interval,
      scale: this.#scaling === 'none' ? noScaling : poissonScaling(interval),
      isRaw: this.#scaling === 'none' || interval <= 1,
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
        this.#ranges = readMappings(lines);
        return;
      }
      if (line.startsWith('@')) {
        addresses = line.slice(1);
        continue;
      }
      const figures = JEPROF_FIGURES.exec(line);
      if (figures === null) {
        if (!this.#isPerl) throw lines.error("'@ 0x401001 …' or 't*: 1: 8 [2: 16]'");
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
  #push({ inUse, alloc, addresses }: RecordLine, header: LegacyHeader): readonly Address[] {
    this.#sampleCount.take();
    const pairs = header.hasAlloc ? [alloc, inUse] : [inUse];
    if (!this.#isPerl) this.#refuseBytesWithoutObjects(...pairs);
    const sample: Sample = {
      values: pairs.flatMap(([objects, bytes]) => header.scale(Number(objects), Number(bytes))),
      stack: [],
      labels: NO_LABELS,
      numLabels: this.#bytesLabel(meanSize(inUse) ?? (header.hasAlloc ? meanSize(alloc) : undefined) ?? 0),
    };
    if (header.isRaw && pairs.some((pair) => pair.some((value) => typeof value === 'bigint'))) {
      sample.exactValues = pairs.flat().map((value, at) => {
        // A pair of which one is 0 may have become 0.
        const read = sample.values[at]!;
        return Number(value) === read ? BigInt(value) : BigInt(read);
      });
    }
    this.#samples.push(sample);
    const callAddresses = this.#callAddresses(addresses);
    this.#stacks.push(callAddresses);
    return callAddresses;
  }

  #refuseBytesWithoutObjects(...pairs: readonly Pair[]): void {
    for (const [objects, bytes] of pairs) {
      if (objects === 0 && bytes !== 0) throw this.#lines.error('no bytes where there are 0 objects');
    }
  }

  /** Return addresses are one too high; but Perl takes that of the leaf as it is. */
  #callAddresses(text: string): Address[] {
    // The array given out is used again for the next record.
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
      const isKept = this.#isPerl && addresses.length === 0;
      const address = isKept ? value : value - 1;
      const isExact = value <= Number.MAX_SAFE_INTEGER && address >= 0;
      addresses.push(isExact ? address : this.#bigAddress(text.slice(start, at), isKept ? 0n : 1n));
    }
    return addresses;
  }

  #bigAddress(digits: string, less: bigint): Address {
    const value = BigInt(`0x${digits}`);
    if (value >= 2n ** 64n) throw this.#lines.error('addresses of 64 bits');
    return toAddress(BigInt.asUintN(64, value - less));
  }

  #symbolizedSamples(space: AddressSpace): Sample[] {
    const mappingAt = (address: Address) => space.find(address);
    const frames: (readonly Readonly<ProfileFrame>[] | undefined)[] = [];
    for (const [i, sample] of this.#samples.entries()) {
      const ids = this.#stacks.at(i);
      const stack = new Array<Readonly<ProfileFrame>>(ids.length);
      let depth = 0;
      for (let index = 0; index < ids.length; index++) {
        const id = ids[index]!;
        let own = frames[id];
        if (own === undefined) {
          const address = this.#stacks.addresses[id]!;
          own = this.#symbols.framesAt(address, this.#symbolAddress(address, index), mappingAt);
          frames[id] = own;
        }
        if (own.length > 1) this.#frames.take(own.length - 1);
        for (let inner = 0; inner < own.length; inner++) stack[depth++] = own[inner]!;
      }
      sample.stack = stack;
    }
    return this.#samples;
  }

  /** Symbol sections name addresses as they stand in the records, or one less; comments name calls. */
  #symbolAddress(address: Address, index: number): Address {
    if (!this.#isPerl) return address;
    if (index === 0) return this.#hasSymbolSection ? address : plus(address, -1);
    const next = plus(address, 1);
    return this.#hasSymbolSection && this.#symbols.has(next) ? next : address;
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

/** Stacks of addresses, which are numbered. */
class AddressStacks {
  readonly addresses: Address[] = [];
  readonly #ids = new Map<Address, number>();
  readonly #ends: number[] = [];
  #stacks = new Uint32Array(1 << 12);
  #used = 0;

  push(stack: readonly Address[]): void {
    if (this.#used + stack.length > this.#stacks.length) {
      const grown = new Uint32Array(Math.max(this.#stacks.length * 1.5, this.#used + stack.length));
      grown.set(this.#stacks);
      this.#stacks = grown;
    }
    for (const address of stack) {
      let id = this.#ids.get(address);
      if (id === undefined) {
        id = this.addresses.length;
        this.#ids.set(address, id);
        this.addresses.push(address);
      }
      this.#stacks[this.#used++] = id;
    }
    this.#ends.push(this.#used);
  }

  at(index: number): Uint32Array {
    return this.#stacks.subarray(index === 0 ? 0 : this.#ends[index - 1]!, this.#ends[index]!);
  }
}

function plus(address: Address, difference: 1 | -1): Address {
  const sum = Number(address) + difference;
  if (Number.isSafeInteger(sum) && sum >= 0) return sum;
  return toAddress(BigInt.asUintN(64, BigInt(address) + BigInt(difference)));
}

function sampleTypes({ hasAlloc }: LegacyHeader): SampleType[] {
  const types = hasAlloc
    ? ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space']
    : ['objects', 'space'];
  return types.map((type) => ({ type, unit: type.endsWith('space') ? 'bytes' : 'count' }));
}

/** Undefined where there are no objects. */
function meanSize([objects, bytes]: Pair): number | undefined {
  if (Number(objects) === 0) return undefined;
  if (typeof objects === 'number' && typeof bytes === 'number') return Math.trunc(bytes / objects) + 0;
  return Number(BigInt(bytes) / BigInt(objects));
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

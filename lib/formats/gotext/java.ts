import { NO_LABELS, newLabels } from '../../profile/labels.js';
import { Allowance, LIMITS } from '../../profile/limits.js';
import type { Mapping, ProfileData, ProfileFrame, Sample } from '../../profile/model.js';
import type { Scaling } from './legacy-header.js';
import { noScaling, poissonScaling } from './legacy-scaling.js';
import type { Lines } from './lines.js';

// Heap profiles of Java programs, read by the rules of Go's legacy reader (parseJavaProfile).

const HEADER = '--- heapz 1 ---';
const INTERVAL = 524_288;

const ATTRIBUTE = /([\w ]{1,1000})=([\w ]+)/;
// Go looks for the digits anywhere in the line; a line that does not begin with them is no sample.
const SAMPLE = /(?<!\d)(\d{1,19}) +(\d{1,19}) +@ +([ x0-9a-f]*)/;
const LOCATION = /^0x([0-9a-fA-F]{1,16})\s+(.*)$/;
const FILE_AND_LINE = /^(.*)\s\((.+):(-?[0-9]+)\)$/;
const LIBRARY = /^(.*)\s\((.*)\)$/;

export function isJavaHeader(line: string): boolean {
  return line === HEADER;
}

interface Place {
  functionName: string;
  fileName: string;
  lineNumber: number;
}

/** Reads the rest of the lines. */
export function readJavaHeap(lines: Lines, scaling: Scaling): ProfileData {
  return new JavaReader(lines, scaling).read();
}

class JavaReader {
  readonly #scale;
  readonly #sampleCount = new Allowance(LIMITS.samples, 'records');
  readonly #frameCount = new Allowance(LIMITS.frames, 'frames');
  readonly #samples: Sample[] = [];
  readonly #stacks: string[][] = [];
  /** By the address in hexadecimal, which only tells them apart. */
  readonly #places = new Map<string, Place | undefined>();
  readonly #files = new Map<string, string>();
  /** Of addresses that nothing is said about; those of the others are not kept. */
  readonly #unknown: Mapping = {
    start: 0,
    limit: 2 ** 64,
    offset: 0,
    exact: { start: 0n, limit: 2n ** 64n - 1n, offset: 0n },
    fileName: '',
    buildId: '',
  };
  #unit: string | undefined;

  constructor(
    readonly lines: Lines,
    scaling: Scaling,
  ) {
    this.#scale = scaling === 'none' ? noScaling : poissonScaling(INTERVAL);
  }

  read(): ProfileData {
    const { lines } = this;
    let more = this.#readAttributes();
    if (this.#unit === undefined) throw lines.error("the attribute 'resolution = bytes'");
    while (more) {
      const line = lines.latin1();
      if (line !== '' && !this.#readSample(line)) break;
      more = lines.next();
    }
    while (more) {
      this.#readLocation(lines.utf8());
      more = lines.next();
    }
    this.#symbolize();
    return {
      format: 'text',
      sampleTypes: [
        { type: 'inuse_objects', unit: 'count' },
        { type: 'inuse_space', unit: this.#unit },
      ],
      defaultSampleType: 'inuse_space',
      periodType: { type: '', unit: '' },
      period: 0,
      comments: [],
      mappings: [...this.#places.values()].includes(undefined) ? [this.#unknown] : [],
      samples: this.#samples,
    };
  }

  /** False at the end of the text; else the line is the first that is no attribute. */
  #readAttributes(): boolean {
    const { lines } = this;
    while (lines.next()) {
      const line = lines.latin1();
      if (line === '') continue;
      const attribute = ATTRIBUTE.exec(line);
      if (attribute === null) return true;
      const [name, value] = [attribute[1]!.trim(), attribute[2]!.trim()];
      if (name === 'resolution') this.#unit = value;
      else if (name !== 'format' || value !== 'java') throw lines.error('format = java, or resolution');
    }
    return false;
  }

  /** False for the first line behind the samples. */
  #readSample(line: string): boolean {
    const sample = SAMPLE.exec(line);
    if (sample === null) return false;
    const [, bytes, objects, addresses = ''] = sample;
    this.#sampleCount.take();
    const counted = [Number(objects), Number(bytes)] as const;
    if (counted[0] === 0) throw this.lines.error('objects');
    this.#samples.push({
      values: this.#scale(...counted),
      stack: [],
      labels: NO_LABELS,
      numLabels: Object.assign(newLabels<number>(), { bytes: [Math.trunc(counted[1] / counted[0])] }),
    });
    const stack = Array.from(addresses.matchAll(/0x0*([0-9a-f]+)/g), ([, digits]) => digits!);
    if (stack.some((digits) => digits.length > 16)) throw this.lines.error('addresses of 64 bits');
    this.#frameCount.take(stack.length);
    for (const address of stack) if (!this.#places.has(address)) this.#places.set(address, undefined);
    this.#stacks.push(stack);
    return true;
  }

  #readLocation(line: string): void {
    const location = LOCATION.exec(line);
    if (location === null) return;
    const address = location[1]!.toLowerCase().replace(/^0+(?=.)/, '');
    if (!this.#places.has(address)) return;
    const place = placeOf(location[2]!);
    // For Go, functions of one name are one, in the file where it was seen first.
    const file = this.#files.get(place.functionName) ?? place.fileName;
    this.#files.set(place.functionName, file);
    this.#places.set(address, { ...place, fileName: file });
  }

  #symbolize(): void {
    const frames = new Map<string, Readonly<ProfileFrame>>();
    for (const [address, place] of this.#places) {
      const unknown = { functionName: '', fileName: '', lineNumber: 0 };
      frames.set(address, {
        ...(place ?? unknown),
        startLine: 0,
        address: 0,
        ...(place === undefined && { mapping: this.#unknown }),
        ...(place?.functionName === '' && { unnamed: true as const }),
      });
    }
    for (const [at, stack] of this.#stacks.entries()) {
      this.#samples[at]!.stack = stack.map((address) => frames.get(address)!);
    }
  }
}

function placeOf(text: string): Place {
  const line = FILE_AND_LINE.exec(text);
  if (line !== null) {
    const lineNumber = Math.max(0, Number(line[3]));
    return { functionName: line[1]!, fileName: line[2]!, lineNumber };
  }
  const library = LIBRARY.exec(text);
  if (library !== null) {
    const fileName = library[2]!.replace(/\/+$/, '').split('/').at(-1) || (library[2] === '' ? '.' : '/');
    return { functionName: library[1]!, fileName, lineNumber: 0 };
  }
  const functionName = text.includes('generated stub/JIT') ? 'STUB' : text;
  return { functionName, fileName: '', lineNumber: 0 };
}

import { type Labels, NO_LABELS, newLabels } from '../../profile/labels.js';
import { Allowance, LIMITS, profileError } from '../../profile/limits.js';
import type { Mapping, ProfileData, ProfileFrame, Sample, SampleType } from '../../profile/model.js';
import { WireReader } from './wire-reader.js';

interface FunctionRow {
  name: string;
  fileName: string;
  startLine: number;
}

/** A message that refers to others, which may come later in the file. */
interface Span {
  start: number;
  end: number;
}

interface TypeIndexes {
  type: number;
  unit: number;
}

const NO_TYPE: TypeIndexes = { type: 0, unit: 0 };
const MAX_SHARED_LABELS = 10_000;

/** Reads pprof's `profile.proto`, not compressed. Refuses what Go's reader refuses, and what is beyond `LIMITS`. */
export function readProto(bytes: Uint8Array): ProfileData {
  return new ProtoReader(bytes).read();
}

class ProtoReader {
  readonly #reader: WireReader;
  readonly #buffer: Buffer;
  // Where texts begin, until they are used for the first time.
  readonly #texts: (string | number)[] = [];
  readonly #textEnds: number[] = [];
  readonly #functions = new Map<number, FunctionRow>();
  readonly #locations = new Map<number, readonly ProfileFrame[]>();
  readonly #bytesLabels = new Map<number, Labels<number>>();
  readonly #frames = new Allowance(LIMITS.frames, 'frames');
  readonly #labels = new Allowance(LIMITS.labels, 'labels');

  readonly #stack: ProfileFrame[] = [];
  readonly #values: number[] = [];
  readonly #sampleTypes: TypeIndexes[] = [];
  readonly #sampleSpans: number[] = [];
  readonly #locationSpans: number[] = [];
  readonly #functionSpans: number[] = [];
  readonly #mappingSpans: Span[] = [];
  readonly #comments: number[] = [];
  #periodType = NO_TYPE;
  #period = 0;
  #dropFrames = 0;
  #keepFrames = 0;
  #timeNanos = 0;
  #durationNanos = 0;
  #defaultSampleType = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new WireReader(bytes);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): ProfileData {
    this.#readTopLevel();
    if (this.#texts.length === 0 || this.#text(0) !== '') {
      throw profileError("not a valid proto: expected '' as the first of its texts");
    }
    for (let i = 0; i < this.#functionSpans.length; i += 2) {
      this.#readFunction(this.#functionSpans[i]!, this.#functionSpans[i + 1]!);
    }
    for (let i = 0; i < this.#locationSpans.length; i += 2) {
      this.#readLocation(this.#locationSpans[i]!, this.#locationSpans[i + 1]!);
    }
    const sampleTypes = this.#sampleTypes.map((each) => this.#sampleType(each));
    const samples: Sample[] = [];
    for (let i = 0; i < this.#sampleSpans.length; i += 2) {
      samples.push(this.#readSample(this.#sampleSpans[i]!, this.#sampleSpans[i + 1]!, sampleTypes.length));
    }
    if (samples.length > 0 && sampleTypes.length === 0) {
      throw profileError('not a valid proto: it has samples, but no types of their values');
    }
    const named = this.#text(this.#defaultSampleType);
    return {
      format: 'proto',
      sampleTypes,
      defaultSampleType: sampleTypes.some(({ type }) => type === named)
        ? named
        : (sampleTypes.at(-1)?.type ?? ''),
      periodType: this.#sampleType(this.#periodType),
      period: this.#period,
      ...(this.#timeNanos !== 0 && { timeNanos: this.#timeNanos }),
      ...(this.#durationNanos !== 0 && { durationNanos: this.#durationNanos }),
      comments: this.#comments.map((index) => this.#text(index)),
      ...(this.#dropFrames !== 0 && { dropFrames: this.#text(this.#dropFrames) }),
      ...(this.#keepFrames !== 0 && { keepFrames: this.#text(this.#keepFrames) }),
      mappings: this.#mappingSpans.map((span) => this.#readMapping(span)),
      samples,
    };
  }

  #readTopLevel(): void {
    const reader = this.#reader;
    const samples = new Allowance(LIMITS.samples, 'samples');
    const locations = new Allowance(LIMITS.locations, 'locations');
    const functions = new Allowance(LIMITS.functions, 'functions');
    const mappings = new Allowance(LIMITS.mappings, 'mappings');
    const texts = new Allowance(LIMITS.strings, 'texts');
    const types = new Allowance(LIMITS.sampleTypes, 'types of values');
    const comments = new Allowance(LIMITS.comments, 'comments');
    while (reader.nextField()) {
      switch (reader.field) {
        case 1:
          types.take();
          this.#sampleTypes.push(this.#readType());
          break;
        case 2:
          samples.take();
          reader.expect(2);
          this.#sampleSpans.push(reader.start, reader.limit);
          break;
        case 3:
          mappings.take();
          this.#mappingSpans.push(this.#span());
          break;
        case 4:
          locations.take();
          reader.expect(2);
          this.#locationSpans.push(reader.start, reader.limit);
          break;
        case 5:
          functions.take();
          reader.expect(2);
          this.#functionSpans.push(reader.start, reader.limit);
          break;
        case 6:
          texts.take();
          reader.expect(2);
          this.#texts.push(reader.start);
          this.#textEnds.push(reader.limit);
          break;
        case 7:
          this.#dropFrames = this.#signed();
          break;
        case 8:
          this.#keepFrames = this.#signed();
          break;
        case 9:
          if (this.#timeNanos !== 0) {
            throw profileError('expected one profile, found several one after the other');
          }
          this.#timeNanos = this.#signed();
          break;
        case 10:
          this.#durationNanos = this.#signed();
          break;
        case 11:
          this.#periodType = this.#readType();
          break;
        case 12:
          this.#period = this.#signed();
          break;
        case 13:
          this.#readIntegers((index) => {
            comments.take();
            this.#comments.push(index);
          });
          break;
        case 14:
          this.#defaultSampleType = this.#signed();
          break;
      }
    }
  }

  #span(): Span {
    this.#reader.expect(2);
    return { start: this.#reader.start, end: this.#reader.limit };
  }

  #signed(): number {
    this.#reader.expect(0);
    return this.#reader.signed();
  }

  #unsigned(): number {
    this.#reader.expect(0);
    return this.#reader.unsigned();
  }

  /** Reads the message that is the last field, then goes on behind it. */
  #nested(read: () => void): void {
    const reader = this.#reader;
    const after = reader.position;
    const end = reader.end;
    reader.expect(2);
    reader.enter(reader.start, reader.limit);
    while (reader.nextField()) read();
    reader.enter(after, end);
  }

  /** Reads a repeated integer, packed or not. */
  #readIntegers(take: (value: number) => void): void {
    const reader = this.#reader;
    if (reader.wireType !== 2) {
      take(this.#signed());
      return;
    }
    const after = reader.position;
    const end = reader.end;
    reader.enter(reader.start, reader.limit);
    while (!reader.atEnd) {
      reader.nextInteger();
      take(reader.signed());
    }
    reader.enter(after, end);
  }

  #text(index: number): string {
    const text = this.#texts[index];
    if (text === undefined) {
      throw profileError(`not a valid proto: it refers to text ${index}, but has ${this.#texts.length}`);
    }
    if (typeof text === 'string') return text;
    const decoded = this.#buffer.toString('utf8', text, this.#textEnds[index]);
    this.#texts[index] = decoded;
    return decoded;
  }

  #readType(): TypeIndexes {
    const row = { type: 0, unit: 0 };
    this.#nested(() => {
      if (this.#reader.field === 1) row.type = this.#signed();
      else if (this.#reader.field === 2) row.unit = this.#signed();
    });
    return row;
  }

  #sampleType({ type, unit }: TypeIndexes): SampleType {
    return { type: this.#text(type), unit: this.#text(unit) };
  }

  #readFunction(start: number, end: number): void {
    const reader = this.#reader;
    reader.enter(start, end);
    let id = 0;
    let name = 0;
    let systemName = 0;
    let fileName = 0;
    let startLine = 0;
    while (reader.nextField()) {
      if (reader.field === 1) id = this.#unsigned();
      else if (reader.field === 2) name = this.#signed();
      else if (reader.field === 3) systemName = this.#signed();
      else if (reader.field === 4) fileName = this.#signed();
      else if (reader.field === 5) startLine = this.#signed();
    }
    checkId('function', id, this.#functions);
    this.#functions.set(id, {
      name: this.#text(name) || this.#text(systemName),
      fileName: this.#text(fileName),
      startLine,
    });
  }

  #readLocation(start: number, end: number): void {
    const reader = this.#reader;
    reader.enter(start, end);
    let id = 0;
    let address = 0;
    const lines: { functionId: number; line: number; column: number }[] = [];
    while (reader.nextField()) {
      if (reader.field === 1) id = this.#unsigned();
      else if (reader.field === 3) address = this.#unsigned();
      else if (reader.field === 4) {
        this.#frames.take();
        const line = { functionId: 0, line: 0, column: 0 };
        this.#nested(() => {
          if (reader.field === 1) line.functionId = this.#unsigned();
          else if (reader.field === 2) line.line = this.#signed();
          else if (reader.field === 3) line.column = this.#signed();
        });
        lines.push(line);
      }
    }
    checkId('location', id, this.#locations);
    const frames = lines.map(({ functionId, line, column }): ProfileFrame => {
      const row = this.#functions.get(functionId);
      if (row === undefined) {
        throw profileError(
          `not a valid proto: location ${id} refers to function ${functionId}, which there is not`,
        );
      }
      return {
        functionName: row.name,
        fileName: row.fileName,
        lineNumber: line,
        ...(column !== 0 && { columnNumber: column }),
        ...(row.startLine !== 0 && { startLine: row.startLine }),
        address,
      };
    });
    this.#locations.set(
      id,
      frames.length > 0 ? frames : [{ functionName: '', fileName: '', lineNumber: 0, address }],
    );
  }

  #readMapping({ start, end }: Span): Mapping {
    const reader = this.#reader;
    reader.enter(start, end);
    const mapping = { start: 0, limit: 0, offset: 0, fileName: '', buildId: '' };
    while (reader.nextField()) {
      if (reader.field === 2) mapping.start = this.#unsigned();
      else if (reader.field === 3) mapping.limit = this.#unsigned();
      else if (reader.field === 4) mapping.offset = this.#unsigned();
      else if (reader.field === 5) mapping.fileName = this.#text(this.#signed());
      else if (reader.field === 6) mapping.buildId = this.#text(this.#signed());
    }
    return mapping;
  }

  #readSample(start: number, end: number, valueCount: number): Sample {
    const reader = this.#reader;
    reader.enter(start, end);
    // Arrays that grow take more than they need; those given out are copies.
    const stack = this.#stack;
    const values = this.#values;
    stack.length = 0;
    values.length = 0;
    let labels: Labels<string> | undefined;
    let numLabels: Labels<number> | undefined;
    while (reader.nextField()) {
      if (reader.field === 1) this.#readIntegers((id) => this.#pushFrames(stack, id));
      else if (reader.field === 2) {
        this.#readIntegers((value) => {
          if (values.length < valueCount) values.push(value);
          else throw profileError(`not a valid proto: expected ${valueCount} values a sample, found more`);
        });
      } else if (reader.field === 3) {
        this.#labels.take();
        const label = this.#readLabel();
        if (label === undefined) continue;
        if (typeof label.value === 'string') {
          labels ??= newLabels<string>();
          addLabel(labels, label.key, label.value);
        } else {
          numLabels ??= newLabels<number>();
          addLabel(numLabels, label.key, label.value);
        }
      }
    }
    if (values.length !== valueCount) {
      throw profileError(`not a valid proto: expected ${valueCount} values a sample, found ${values.length}`);
    }
    return {
      values: values.slice(),
      stack: stack.slice(),
      labels: labels ?? NO_LABELS,
      numLabels: numLabels === undefined ? NO_LABELS : this.#shareNumLabels(numLabels),
    };
  }

  #pushFrames(stack: ProfileFrame[], id: number): void {
    const frames = this.#locations.get(id);
    if (frames === undefined) {
      throw profileError(`not a valid proto: a sample refers to location ${id}, which there is not`);
    }
    this.#frames.take(frames.length);
    if (stack.length + frames.length > LIMITS.stackFrames) {
      throw profileError(`the profile has a stack of more than ${LIMITS.stackFrames} frames`);
    }
    for (const frame of frames) stack.push(frame);
  }

  /** Undefined if it has no value; a number of 0 is one only with a unit, as for Go. */
  #readLabel(): { key: string; value: string | number } | undefined {
    let key = 0;
    let unit = 0;
    let text = 0;
    let number = 0;
    this.#nested(() => {
      if (this.#reader.field === 1) key = this.#signed();
      else if (this.#reader.field === 2) text = this.#signed();
      else if (this.#reader.field === 3) number = this.#signed();
      else if (this.#reader.field === 4) unit = this.#signed();
    });
    if (text === 0 && number === 0 && unit === 0) return undefined;
    return { key: this.#text(key), value: text === 0 ? number : this.#text(text) };
  }

  /** Most samples have one label, `bytes`, of a few values. */
  #shareNumLabels(labels: Labels<number>): Labels<number> {
    const sizes = labels.bytes;
    if (sizes?.length !== 1 || Object.keys(labels).length !== 1) return labels;
    const size = sizes[0]!;
    const shared = this.#bytesLabels.get(size);
    if (shared !== undefined) return shared;
    if (this.#bytesLabels.size < MAX_SHARED_LABELS) this.#bytesLabels.set(size, labels);
    return labels;
  }
}

function addLabel<T>(labels: Labels<T>, key: string, value: T): void {
  const values = labels[key];
  if (values === undefined) labels[key] = [value];
  else values.push(value);
}

function checkId(what: string, id: number, known: ReadonlyMap<number, unknown>): void {
  if (id === 0) throw profileError(`not a valid proto: a ${what} has no id`);
  if (known.has(id)) throw profileError(`not a valid proto: two ${what}s have the id ${id}`);
}

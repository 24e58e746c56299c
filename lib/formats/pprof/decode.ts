import { NO_LABELS } from '../../profile/labels.js';
import { Allowance, LIMITS, profileError } from '../../profile/limits.js';
import type { Mapping, ProfileData, ProfileFrame, Sample, SampleType } from '../../profile/model.js';
import { isRounded } from './exact.js';
import { FUNCTION, LABEL, LINE, LOCATION, PROFILE, SAMPLE, VALUE_TYPE } from './fields.js';
import { readMapping } from './read-mapping.js';
import { SampleLabels } from './sample-labels.js';
import { TextTable } from './text-table.js';
import { WireReader } from './wire-reader.js';

interface FunctionRow {
  name: string;
  systemName: string;
  fileName: string;
  startLine: number;
}

/** A number, or a bigint where a number would be rounded. */
type Id = number | bigint;

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

/** Reads pprof's `profile.proto`, not compressed. Refuses what Go's reader refuses, and what is beyond `LIMITS`. */
export function readProto(bytes: Uint8Array): ProfileData {
  return new ProtoReader(bytes).read();
}

class ProtoReader {
  readonly #reader: WireReader;
  readonly #texts: TextTable;
  readonly #functions = new Map<Id, FunctionRow>();
  readonly #mappings = new Map<Id, Mapping>();
  readonly #locations = new Map<Id, readonly ProfileFrame[]>();
  readonly #labels = new SampleLabels();
  readonly #frames = new Allowance(LIMITS.frames, 'frames');
  readonly #labelCount = new Allowance(LIMITS.labels, 'labels');

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
  #exactTimeNanos = 0n;
  #durationNanos = 0;
  #exactDurationNanos = 0n;
  #exactPeriod = 0n;
  #docUrl = 0;
  #defaultSampleType = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new WireReader(bytes);
    this.#texts = new TextTable(bytes);
  }

  read(): ProfileData {
    this.#readTopLevel();
    if (this.#texts.count === 0 || this.#text(0) !== '') {
      throw profileError("not a valid proto: expected '' as the first of its texts");
    }
    for (let i = 0; i < this.#functionSpans.length; i += 2) {
      this.#readFunction(this.#functionSpans[i]!, this.#functionSpans[i + 1]!);
    }
    const mappings = this.#mappingSpans.map((span) => this.#readMapping(span));
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
    const stated = this.#text(this.#defaultSampleType);
    return {
      format: 'proto',
      sampleTypes,
      defaultSampleType: sampleTypes.some(({ type }) => type === stated)
        ? stated
        : (sampleTypes.at(-1)?.type ?? ''),
      ...(stated !== '' && { statedSampleType: stated }),
      periodType: this.#sampleType(this.#periodType),
      period: this.#period,
      ...(isRounded(this.#exactPeriod) && { exactPeriod: this.#exactPeriod }),
      ...(this.#timeNanos !== 0 && { timeNanos: this.#timeNanos }),
      ...(isRounded(this.#exactTimeNanos) && { exactTimeNanos: this.#exactTimeNanos }),
      ...(this.#durationNanos !== 0 && { durationNanos: this.#durationNanos }),
      ...(isRounded(this.#exactDurationNanos) && { exactDurationNanos: this.#exactDurationNanos }),
      comments: this.#comments.map((index) => this.#text(index)),
      ...(this.#dropFrames !== 0 && { dropFrames: this.#text(this.#dropFrames) }),
      ...(this.#keepFrames !== 0 && { keepFrames: this.#text(this.#keepFrames) }),
      ...(this.#docUrl !== 0 && { docUrl: this.#text(this.#docUrl) }),
      mappings,
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
        case PROFILE.sampleType:
          types.take();
          this.#sampleTypes.push(this.#readType());
          break;
        case PROFILE.sample:
          samples.take();
          reader.expect(2);
          this.#sampleSpans.push(reader.start, reader.limit);
          break;
        case PROFILE.mapping:
          mappings.take();
          this.#mappingSpans.push(this.#span());
          break;
        case PROFILE.location:
          locations.take();
          reader.expect(2);
          this.#locationSpans.push(reader.start, reader.limit);
          break;
        case PROFILE.function:
          functions.take();
          reader.expect(2);
          this.#functionSpans.push(reader.start, reader.limit);
          break;
        case PROFILE.string:
          texts.take();
          reader.expect(2);
          this.#texts.add(reader.start, reader.limit);
          break;
        case PROFILE.dropFrames:
          this.#dropFrames = this.#signed();
          break;
        case PROFILE.keepFrames:
          this.#keepFrames = this.#signed();
          break;
        case PROFILE.timeNanos:
          if (this.#timeNanos !== 0) {
            throw profileError('expected one profile, found several one after the other');
          }
          this.#timeNanos = this.#signed();
          this.#exactTimeNanos = reader.exactSigned();
          break;
        case PROFILE.durationNanos:
          this.#durationNanos = this.#signed();
          this.#exactDurationNanos = reader.exactSigned();
          break;
        case PROFILE.periodType:
          this.#periodType = this.#readType();
          break;
        case PROFILE.period:
          this.#period = this.#signed();
          this.#exactPeriod = reader.exactSigned();
          break;
        case PROFILE.comment:
          this.#readIntegers(() => {
            comments.take();
            this.#comments.push(reader.signed());
          });
          break;
        case PROFILE.defaultSampleType:
          this.#defaultSampleType = this.#signed();
          break;
        case PROFILE.docUrl:
          this.#docUrl = this.#signed();
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

  #id(): Id {
    this.#reader.expect(0);
    return this.#reader.id();
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

  /** Reads a repeated integer, packed or not; `take` asks the reader for each. */
  #readIntegers(take: () => void): void {
    const reader = this.#reader;
    if (reader.wireType !== 2) {
      reader.expect(0);
      take();
      return;
    }
    const after = reader.position;
    const end = reader.end;
    reader.enter(reader.start, reader.limit);
    while (!reader.atEnd) {
      reader.nextInteger();
      take();
    }
    reader.enter(after, end);
  }

  #text(index: number): string {
    return this.#texts.at(index);
  }

  #readType(): TypeIndexes {
    const row = { type: 0, unit: 0 };
    this.#nested(() => {
      if (this.#reader.field === VALUE_TYPE.type) row.type = this.#signed();
      else if (this.#reader.field === VALUE_TYPE.unit) row.unit = this.#signed();
    });
    return row;
  }

  #sampleType({ type, unit }: TypeIndexes): SampleType {
    return { type: this.#text(type), unit: this.#text(unit) };
  }

  #readFunction(start: number, end: number): void {
    const reader = this.#reader;
    reader.enter(start, end);
    let id: Id = 0;
    let name = 0;
    let systemName = 0;
    let fileName = 0;
    let startLine = 0;
    while (reader.nextField()) {
      if (reader.field === FUNCTION.id) id = this.#id();
      else if (reader.field === FUNCTION.name) name = this.#signed();
      else if (reader.field === FUNCTION.systemName) systemName = this.#signed();
      else if (reader.field === FUNCTION.file) fileName = this.#signed();
      else if (reader.field === FUNCTION.startLine) startLine = this.#signed();
    }
    checkId('function', id, this.#functions);
    this.#functions.set(id, {
      name: this.#text(name),
      systemName: this.#text(systemName),
      fileName: this.#text(fileName),
      startLine,
    });
  }

  #readLocation(start: number, end: number): void {
    const reader = this.#reader;
    reader.enter(start, end);
    let id: Id = 0;
    let address = 0;
    let exactAddress = 0n;
    let mapping: Mapping | undefined;
    let folded = false;
    const lines: { functionId: Id; line: number; column: number }[] = [];
    while (reader.nextField()) {
      if (reader.field === LOCATION.id) id = this.#id();
      else if (reader.field === LOCATION.mappingId) mapping = this.#mappings.get(this.#id());
      else if (reader.field === LOCATION.address) {
        address = this.#unsigned();
        if (!Number.isSafeInteger(address)) exactAddress = reader.exactUnsigned();
      } else if (reader.field === LOCATION.isFolded) folded = this.#unsigned() !== 0;
      else if (reader.field === LOCATION.line) {
        this.#frames.take();
        const line: (typeof lines)[number] = { functionId: 0, line: 0, column: 0 };
        this.#nested(() => {
          if (reader.field === LINE.functionId) line.functionId = this.#id();
          else if (reader.field === LINE.line) line.line = this.#signed();
          else if (reader.field === LINE.column) line.column = this.#signed();
        });
        lines.push(line);
      }
    }
    checkId('location', id, this.#locations);
    const place = {
      address,
      ...(isRounded(exactAddress) && { exactAddress }),
      ...(mapping !== undefined && { mapping }),
      ...(folded && { folded: true as const }),
    };
    const frames = lines.map(({ functionId, line, column }, at): ProfileFrame => {
      const row = this.#functions.get(functionId);
      if (row === undefined) {
        throw profileError(
          `not a valid proto: location ${id} refers to function ${functionId}, which there is not`,
        );
      }
      const { name, systemName, fileName, startLine } = row;
      return {
        functionName: name || systemName,
        ...(name !== '' && systemName !== name && { systemName }),
        fileName,
        lineNumber: line,
        ...(column !== 0 && { columnNumber: column }),
        startLine,
        ...place,
        ...(name === '' && { unnamed: true as const }),
        ...(at < lines.length - 1 && { inlined: true as const }),
      };
    });
    this.#locations.set(
      id,
      frames.length > 0 ? frames : [{ functionName: '', fileName: '', lineNumber: 0, ...place }],
    );
  }

  #readMapping({ start, end }: Span): Mapping {
    this.#reader.enter(start, end);
    const { id, mapping } = readMapping(this.#reader, this.#texts);
    if (id !== 0 && !this.#mappings.has(id)) this.#mappings.set(id, mapping);
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
    let exact: (bigint | undefined)[] | undefined;
    while (reader.nextField()) {
      if (reader.field === SAMPLE.locationIds) this.#readIntegers(() => this.#pushFrames(stack, reader.id()));
      else if (reader.field === SAMPLE.values) {
        this.#readIntegers(() => {
          if (values.length >= valueCount) {
            throw profileError(`not a valid proto: expected ${valueCount} values a sample, found more`);
          }
          const value = reader.signed();
          if (!Number.isSafeInteger(value) && isRounded(reader.exactSigned())) {
            exact ??= [];
            exact[values.length] = reader.exactSigned();
          }
          values.push(value);
        });
      } else if (reader.field === SAMPLE.label) {
        this.#labelCount.take();
        this.#readLabel();
      }
    }
    if (values.length !== valueCount) {
      throw profileError(`not a valid proto: expected ${valueCount} values a sample, found ${values.length}`);
    }
    const sample: Sample = {
      values: values.slice(),
      stack: stack.slice(),
      labels: NO_LABELS,
      numLabels: NO_LABELS,
    };
    if (exact !== undefined) {
      const known: (bigint | undefined)[] = exact;
      sample.exactValues = values.map((value, at) => known[at] ?? BigInt(value));
    }
    this.#labels.moveTo(sample);
    return sample;
  }

  #pushFrames(stack: ProfileFrame[], id: Id): void {
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

  /** A label without a value is none; a number of 0 is a value only with a unit, as for Go. */
  #readLabel(): void {
    const reader = this.#reader;
    let key = 0;
    let unit = 0;
    let text = 0;
    let number = 0;
    let exact: bigint | undefined;
    this.#nested(() => {
      if (reader.field === LABEL.key) key = this.#signed();
      else if (reader.field === LABEL.text) text = this.#signed();
      else if (reader.field === LABEL.number) {
        number = this.#signed();
        if (!Number.isSafeInteger(number)) exact = reader.exactSigned();
      } else if (reader.field === LABEL.unit) unit = this.#signed();
    });
    if (text !== 0) this.#labels.addText(this.#text(key), this.#text(text));
    else if (number !== 0 || unit !== 0) {
      this.#labels.addNumber(this.#text(key), number, exact, this.#text(unit));
    }
  }
}

function checkId(what: string, id: Id, known: ReadonlyMap<Id, unknown>): void {
  if (id === 0) throw profileError(`not a valid proto: a ${what} has no id`);
  if (known.has(id)) throw profileError(`not a valid proto: two ${what}s have the id ${id}`);
}

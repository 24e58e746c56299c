import { meterOnThread } from '../../addon/meter-on-thread.js';
import { endOfLocation, functionNames, hasFunction } from '../../profile/locations.js';
import type { Mapping, ProfileData, ProfileFrame, Sample, SampleType } from '../../profile/model.js';
import { exactly } from './exact.js';
import { FUNCTION, LABEL, LINE, LOCATION, MAPPING, PROFILE, SAMPLE, VALUE_TYPE } from './fields.js';
import { WireWriter } from './wire-writer.js';

/**
 * Writes a profile as pprof's `profile.proto`, not compressed. Samples are written as they are, those with zeros
 * included; a frame without a name becomes an address without a symbol.
 */
export function encodeProto(profile: ProfileData): Uint8Array<ArrayBuffer> {
  return meterOnThread(() => new ProtoEncoder().encode(profile));
}

class ProtoEncoder {
  readonly #out = new WireWriter(1 << 16);
  // A writer for each level of nesting; its memory is used again for every message.
  readonly #message = new WireWriter();
  readonly #nested = new WireWriter();
  readonly #ids = new WireWriter();
  readonly #strings = new Map<string, number>([['', 0]]);
  // Of one frame, and of several that were inlined, by the innermost.
  readonly #locations = new Map<Readonly<ProfileFrame>, { id: number; end: Readonly<ProfileFrame> }>();
  readonly #mappingIds = new Map<Readonly<Mapping>, number>();
  readonly #functions = new Map<string, number>();
  #locationCount = 0;
  #allNamed = true;

  encode(profile: ProfileData): Uint8Array<ArrayBuffer> {
    for (const [at, mapping] of profile.mappings.entries()) this.#mappingIds.set(mapping, at + 1);
    this.#valueType(PROFILE.periodType, profile.periodType);
    this.#out.integerField(PROFILE.period, exactly(profile.period, profile.exactPeriod));
    for (const each of profile.sampleTypes) this.#valueType(PROFILE.sampleType, each);
    this.#text(PROFILE.defaultSampleType, statedSampleType(profile));
    for (const sample of profile.samples) this.#sample(sample);
    this.#out.integerField(PROFILE.timeNanos, exactly(profile.timeNanos ?? 0, profile.exactTimeNanos));
    const { durationNanos = 0, exactDurationNanos } = profile;
    this.#out.integerField(PROFILE.durationNanos, exactly(durationNanos, exactDurationNanos));
    this.#text(PROFILE.dropFrames, profile.dropFrames ?? '');
    this.#text(PROFILE.keepFrames, profile.keepFrames ?? '');
    for (const comment of profile.comments) this.#text(PROFILE.comment, comment);
    this.#text(PROFILE.docUrl, profile.docUrl ?? '');
    this.#mappings(profile.mappings);
    for (const text of this.#strings.keys()) this.#out.stringField(PROFILE.string, text);
    return this.#out.written();
  }

  #string(text: string): number {
    let id = this.#strings.get(text);
    if (id === undefined) {
      id = this.#strings.size;
      this.#strings.set(text, id);
    }
    return id;
  }

  #text(field: number, text: string): void {
    this.#out.integerField(field, this.#string(text));
  }

  #valueType(field: number, { type, unit }: SampleType): void {
    const message = this.#message;
    message.reset();
    message.integerField(VALUE_TYPE.type, this.#string(type));
    message.integerField(VALUE_TYPE.unit, this.#string(unit));
    this.#out.bytesField(field, message.written());
  }

  #sample(sample: Sample): void {
    const { stack, values, exactValues, labels, numLabels, exactNumLabels, numUnits } = sample;
    this.#ids.reset();
    for (let at = 0, next = 0; at < stack.length; at = next) {
      next = endOfLocation(stack, at);
      this.#ids.integer(this.#location(stack, at, next));
    }
    const message = this.#message;
    message.reset();
    if (stack.length > 0) message.bytesField(SAMPLE.locationIds, this.#ids.written());
    const nested = this.#nested;
    nested.reset();
    if (exactValues === undefined) for (const value of values) nested.integer(value);
    else for (const [at, value] of values.entries()) nested.integer(exactly(value, exactValues[at]));
    message.bytesField(SAMPLE.values, nested.written());
    for (const key of Object.keys(labels)) {
      for (const text of labels[key] ?? []) this.#label(key, LABEL.text, this.#string(text), '');
    }
    for (const key of Object.keys(numLabels)) {
      numLabels[key]!.forEach((number, at) => {
        const value = exactly(number, exactNumLabels?.[key]?.[at]);
        this.#label(key, LABEL.number, value, numUnits?.[key]?.[at] ?? '');
      });
    }
    this.#out.bytesField(PROFILE.sample, message.written());
  }

  #label(key: string, field: number, value: number | bigint, unit: string): void {
    const nested = this.#nested;
    nested.reset();
    nested.integerField(LABEL.key, this.#string(key));
    nested.integerField(field, value);
    nested.integerField(LABEL.unit, this.#string(unit));
    this.#message.bytesField(SAMPLE.label, nested.written());
  }

  #location(stack: readonly Readonly<ProfileFrame>[], start: number, next: number): number {
    const inner = stack[start]!;
    const end = stack[next - 1]!;
    const known = this.#locations.get(inner);
    if (known?.end === end) return known.id;
    const id = ++this.#locationCount;
    this.#locations.set(inner, { id, end });
    this.#defineLocation(id, stack.slice(start, next));
    return id;
  }

  /** Leaf first: all but the last frame are inlined into the next. */
  #defineLocation(id: number, frames: readonly Readonly<ProfileFrame>[]): void {
    const { address, exactAddress, mapping, folded } = frames[0]!;
    const functionIds = frames.map((frame) => (hasFunction(frame) ? this.#function(frame) : 0));
    const message = this.#message;
    message.reset();
    message.integerField(LOCATION.id, id);
    // memprof's own frames have none: a filter that matches the program's name would match each of them.
    message.integerField(LOCATION.mappingId, (mapping && this.#mappingIds.get(mapping)) ?? 0);
    message.integerField(LOCATION.address, exactly(address, exactAddress));
    frames.forEach((frame, at) => {
      const functionId = functionIds[at]!;
      if (functionId === 0) {
        this.#allNamed = false;
        return;
      }
      const nested = this.#nested;
      nested.reset();
      nested.integerField(LINE.functionId, functionId);
      nested.integerField(LINE.line, frame.lineNumber);
      nested.integerField(LINE.column, frame.columnNumber ?? 0);
      message.bytesField(LOCATION.line, nested.written());
    });
    message.integerField(LOCATION.isFolded, Number(folded === true));
    this.#out.bytesField(PROFILE.location, message.written());
  }

  #function(frame: Readonly<ProfileFrame>): number {
    const { fileName, lineNumber, startLine = lineNumber } = frame;
    const [name, systemName] = functionNames(frame);
    const key = `${startLine}\0${name}\0${fileName}\0${systemName}`;
    let id = this.#functions.get(key);
    if (id === undefined) {
      id = this.#functions.size + 1;
      this.#functions.set(key, id);
      const message = this.#message;
      message.reset();
      message.integerField(FUNCTION.id, id);
      message.integerField(FUNCTION.name, this.#string(name));
      message.integerField(FUNCTION.systemName, this.#string(systemName));
      message.integerField(FUNCTION.file, this.#string(fileName));
      message.integerField(FUNCTION.startLine, startLine);
      this.#out.bytesField(PROFILE.function, message.written());
    }
    return id;
  }

  /** A mapping without flags is written with all of them, because readers look for symbols themselves where one is missing. */
  #mappings(mappings: readonly Mapping[]): void {
    for (const [index, mapping] of mappings.entries()) {
      const { start, limit, offset, exact, fileName, buildId, known } = mapping;
      const message = this.#message;
      message.reset();
      message.integerField(MAPPING.id, index + 1);
      message.integerField(MAPPING.start, exactly(start, exact?.start));
      message.integerField(MAPPING.limit, exactly(limit, exact?.limit));
      message.integerField(MAPPING.offset, exactly(offset, exact?.offset));
      message.integerField(MAPPING.file, this.#string(fileName));
      message.integerField(MAPPING.buildId, this.#string(buildId));
      message.integerField(MAPPING.hasFunctions, Number(known?.functions ?? this.#allNamed));
      message.integerField(MAPPING.hasFilenames, Number(known?.fileNames ?? this.#allNamed));
      message.integerField(MAPPING.hasLineNumbers, Number(known?.lineNumbers ?? this.#allNamed));
      message.integerField(MAPPING.hasInlineFrames, Number(known?.inlinedCalls ?? false));
      this.#out.bytesField(PROFILE.mapping, message.written());
    }
  }
}

/** Readers take the last type if none is stated, as in Go's profiles. */
function statedSampleType({ statedSampleType, defaultSampleType, sampleTypes }: ProfileData): string {
  const last = sampleTypes.at(-1)?.type;
  const known = sampleTypes.some(({ type }) => type === statedSampleType) ? statedSampleType : last;
  if (statedSampleType !== undefined && known === defaultSampleType) return statedSampleType;
  return defaultSampleType === last ? '' : defaultSampleType;
}

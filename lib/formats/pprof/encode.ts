import { meterOnThread } from '../../addon/meter-on-thread.js';
import type { Mapping, ProfileData, ProfileFrame, Sample, SampleType } from '../../profile/model.js';
import { WireWriter } from './wire-writer.js';

/** Field numbers of `profile.proto`. */
const PROFILE = {
  sampleType: 1,
  sample: 2,
  mapping: 3,
  location: 4,
  function: 5,
  string: 6,
  dropFrames: 7,
  keepFrames: 8,
  timeNanos: 9,
  durationNanos: 10,
  periodType: 11,
  period: 12,
  comment: 13,
  defaultSampleType: 14,
};
const VALUE_TYPE = { type: 1, unit: 2 };
const SAMPLE = { locationIds: 1, values: 2, label: 3 };
const LABEL = { key: 1, text: 2, number: 3 };
const MAPPING = {
  id: 1,
  start: 2,
  limit: 3,
  offset: 4,
  file: 5,
  buildId: 6,
  hasFunctions: 7,
  hasFilenames: 8,
  hasLineNumbers: 9,
};
const LOCATION = { id: 1, mappingId: 2, address: 3, line: 4 };
const LINE = { functionId: 1, line: 2, column: 3 };
const FUNCTION = { id: 1, name: 2, systemName: 3, file: 4, startLine: 5 };

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
  readonly #locations = new Map<Readonly<ProfileFrame>, number>();
  readonly #functions = new Map<string, number>();
  #allNamed = true;

  encode(profile: ProfileData): Uint8Array<ArrayBuffer> {
    this.#valueType(PROFILE.periodType, profile.periodType);
    this.#out.integerField(PROFILE.period, profile.period);
    for (const each of profile.sampleTypes) this.#valueType(PROFILE.sampleType, each);
    // Readers take the last type if none is named, as in Go's profiles.
    if (profile.defaultSampleType !== profile.sampleTypes.at(-1)?.type) {
      this.#text(PROFILE.defaultSampleType, profile.defaultSampleType);
    }
    for (const sample of profile.samples) this.#sample(sample);
    this.#out.integerField(PROFILE.timeNanos, profile.timeNanos ?? 0);
    this.#out.integerField(PROFILE.durationNanos, profile.durationNanos ?? 0);
    this.#text(PROFILE.dropFrames, profile.dropFrames ?? '');
    this.#text(PROFILE.keepFrames, profile.keepFrames ?? '');
    for (const comment of profile.comments) this.#text(PROFILE.comment, comment);
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

  #sample({ stack, values, labels, numLabels }: Sample): void {
    this.#ids.reset();
    for (const frame of stack) this.#ids.integer(this.#locations.get(frame) ?? this.#defineLocation(frame));
    const message = this.#message;
    message.reset();
    if (stack.length > 0) message.bytesField(SAMPLE.locationIds, this.#ids.written());
    const nested = this.#nested;
    nested.reset();
    for (const value of values) nested.integer(value);
    message.bytesField(SAMPLE.values, nested.written());
    for (const key of Object.keys(labels)) {
      for (const text of labels[key] ?? []) this.#label(key, LABEL.text, this.#string(text));
    }
    for (const key of Object.keys(numLabels)) {
      for (const number of numLabels[key] ?? []) this.#label(key, LABEL.number, number);
    }
    this.#out.bytesField(PROFILE.sample, message.written());
  }

  #label(key: string, field: number, value: number): void {
    const nested = this.#nested;
    nested.reset();
    nested.integerField(LABEL.key, this.#string(key));
    nested.integerField(field, value);
    this.#message.bytesField(SAMPLE.label, nested.written());
  }

  #defineLocation(frame: Readonly<ProfileFrame>): number {
    const functionId = frame.functionName === '' ? 0 : this.#function(frame);
    const message = this.#message;
    message.reset();
    const id = this.#locations.size + 1;
    this.#locations.set(frame, id);
    message.integerField(LOCATION.id, id);
    message.integerField(LOCATION.mappingId, 1);
    message.integerField(LOCATION.address, frame.address);
    if (functionId === 0) {
      this.#allNamed = false;
    } else {
      const nested = this.#nested;
      nested.reset();
      nested.integerField(LINE.functionId, functionId);
      nested.integerField(LINE.line, frame.lineNumber);
      nested.integerField(LINE.column, frame.columnNumber ?? 0);
      message.bytesField(LOCATION.line, nested.written());
    }
    this.#out.bytesField(PROFILE.location, message.written());
    return id;
  }

  #function({ functionName, fileName, lineNumber, startLine = lineNumber }: Readonly<ProfileFrame>): number {
    const key = `${startLine}\0${functionName}\0${fileName}`;
    let id = this.#functions.get(key);
    if (id === undefined) {
      id = this.#functions.size + 1;
      this.#functions.set(key, id);
      const message = this.#message;
      message.reset();
      message.integerField(FUNCTION.id, id);
      message.integerField(FUNCTION.name, this.#string(functionName));
      message.integerField(FUNCTION.systemName, this.#string(functionName));
      message.integerField(FUNCTION.file, this.#string(fileName));
      message.integerField(FUNCTION.startLine, startLine);
      this.#out.bytesField(PROFILE.function, message.written());
    }
    return id;
  }

  /** There is always one, and it says that all is named, or readers would go and look for symbols of their own. */
  #mappings(mappings: readonly Mapping[]): void {
    const known = mappings.length > 0 ? mappings : [NO_MAPPING];
    known.forEach(({ start, limit, offset, fileName, buildId }, index) => {
      const message = this.#message;
      message.reset();
      message.integerField(MAPPING.id, index + 1);
      message.integerField(MAPPING.start, start);
      message.integerField(MAPPING.limit, limit);
      message.integerField(MAPPING.offset, offset);
      message.integerField(MAPPING.file, this.#string(fileName));
      message.integerField(MAPPING.buildId, this.#string(buildId));
      message.integerField(MAPPING.hasFunctions, Number(this.#allNamed));
      message.integerField(MAPPING.hasFilenames, Number(this.#allNamed));
      message.integerField(MAPPING.hasLineNumbers, Number(this.#allNamed));
      this.#out.bytesField(PROFILE.mapping, message.written());
    });
  }
}

const NO_MAPPING: Mapping = { start: 0, limit: 0, offset: 0, fileName: '', buildId: '' };

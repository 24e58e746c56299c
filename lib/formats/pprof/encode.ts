import { meterOnThread } from '../../addon/meter-on-thread.js';
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
  // Of frames without a mapping: the first one, unless other frames have theirs.
  #otherMapping = 1;
  #allNamed = true;

  encode(profile: ProfileData): Uint8Array<ArrayBuffer> {
    for (const [at, mapping] of profile.mappings.entries()) this.#mappingIds.set(mapping, at + 1);
    const tellsMappings = ({ stack }: Sample) => stack.some(({ mapping }) => mapping !== undefined);
    if (profile.mappings.some(({ limit }) => limit !== 0) && profile.samples.some(tellsMappings)) {
      this.#otherMapping = 0;
    }
    this.#valueType(PROFILE.periodType, profile.periodType);
    this.#out.integerField(PROFILE.period, profile.period);
    for (const each of profile.sampleTypes) this.#valueType(PROFILE.sampleType, each);
    // Readers take the last type if none is named, as in Go's profiles.
    if (profile.defaultSampleType !== profile.sampleTypes.at(-1)?.type) {
      this.#text(PROFILE.defaultSampleType, profile.defaultSampleType);
    }
    for (const sample of profile.samples) this.#sample(sample);
    this.#out.integerField(PROFILE.timeNanos, exactly(profile.timeNanos ?? 0, profile.exactTimeNanos));
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
    const { address, exactAddress, mapping } = frames[0]!;
    const functionIds = frames.map((frame) => (frame.functionName === '' ? 0 : this.#function(frame)));
    const message = this.#message;
    message.reset();
    message.integerField(LOCATION.id, id);
    message.integerField(
      LOCATION.mappingId,
      (mapping && this.#mappingIds.get(mapping)) ?? this.#otherMapping,
    );
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
    this.#out.bytesField(PROFILE.location, message.written());
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
    known.forEach(({ start, limit, offset, exact, fileName, buildId }, index) => {
      const message = this.#message;
      message.reset();
      message.integerField(MAPPING.id, index + 1);
      message.integerField(MAPPING.start, exactly(start, exact?.start));
      message.integerField(MAPPING.limit, exactly(limit, exact?.limit));
      message.integerField(MAPPING.offset, exactly(offset, exact?.offset));
      message.integerField(MAPPING.file, this.#string(fileName));
      message.integerField(MAPPING.buildId, this.#string(buildId));
      message.integerField(MAPPING.hasFunctions, Number(this.#allNamed));
      message.integerField(MAPPING.hasFilenames, Number(this.#allNamed));
      message.integerField(MAPPING.hasLineNumbers, Number(this.#allNamed));
      this.#out.bytesField(PROFILE.mapping, message.written());
    });
  }
}

/** Where the location ends whose innermost call this is: after the call that was not inlined. */
function endOfLocation(stack: readonly Readonly<ProfileFrame>[], start: number): number {
  let next = start + 1;
  while (next < stack.length && isInlinedInto(stack[next - 1]!, stack[next]!)) next++;
  return next;
}

/** Calls without a name are not lines of a location, but locations without lines. */
function isInlinedInto(frame: Readonly<ProfileFrame>, caller: Readonly<ProfileFrame>): boolean {
  return (
    frame.inlined === true &&
    frame.address === caller.address &&
    frame.functionName !== '' &&
    caller.functionName !== ''
  );
}

const NO_MAPPING: Mapping = { start: 0, limit: 0, offset: 0, fileName: '', buildId: '' };

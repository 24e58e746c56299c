import { meterOnThread } from '../addon/meter-on-thread.js';
import { NO_LABELS, newLabels } from './labels.js';
import type { ProfileData, Sample, SampleType } from './model.js';
import type { MemProfileRecord } from './public-types.js';
import { scaleFactor } from './scaling.js';
import { UNKNOWN_STACK } from './unknown-stack.js';

/** The values of a heap profile, in Go's order. */
export const HEAP_SAMPLE_TYPES: readonly Readonly<SampleType>[] = [
  { type: 'alloc_objects', unit: 'count' },
  { type: 'alloc_space', unit: 'bytes' },
  { type: 'inuse_objects', unit: 'count' },
  { type: 'inuse_space', unit: 'bytes' },
];

export interface HeapProfileOptions {
  /** Mean bytes between two samples. */
  sampleInterval: number;
  /** What the reader is to show first. */
  defaultSampleType: string;
  timeNanos: number;
  /** The program, by which readers call the profile. */
  program: string;
}

/** A profile of what the records stand for: scaled up from what was sampled, as Go does, once a record. */
export function profileFromRecords(
  records: readonly MemProfileRecord[],
  options: HeapProfileOptions,
): ProfileData {
  return scaleUp(sampledProfile(records, options));
}

/** A profile of the figures as they were sampled, a sample a record; `scaleUp` makes it one that can be written. */
export function sampledProfile(
  records: readonly MemProfileRecord[],
  { sampleInterval, defaultSampleType, timeNanos, program }: HeapProfileOptions,
): ProfileData {
  return {
    format: 'proto',
    sampleTypes: HEAP_SAMPLE_TYPES.map((each) => ({ ...each })),
    defaultSampleType,
    periodType: { type: 'space', unit: 'bytes' },
    period: sampleInterval,
    timeNanos,
    comments: [],
    mappings: [{ start: 0, limit: 0, offset: 0, fileName: program, buildId: '' }],
    samples: meterOnThread(() => records.map((record) => new SampledRecord(record))),
  };
}

/** A record's stack is read when it is asked for: a delta leaves many records out. */
class SampledRecord implements Sample {
  readonly values: number[];
  readonly labels: Sample['labels'];
  readonly numLabels: Sample['numLabels'] = NO_LABELS;
  readonly #record: MemProfileRecord;

  constructor(record: MemProfileRecord) {
    this.values = [
      toCount(record.allocObjects),
      toCount(record.allocBytes),
      toCount(record.inUseObjects()),
      toCount(record.inUseBytes()),
    ];
    this.labels = labelsOf(record);
    this.#record = record;
  }

  get stack(): Sample['stack'] {
    return this.#record.stack();
  }
}

function labelsOf({ thread, labels }: MemProfileRecord): Sample['labels'] {
  if (thread === undefined && labels === undefined) return NO_LABELS;
  const all = thread === undefined ? newLabels<string>() : label('thread', String(thread));
  for (const key of Object.keys(labels ?? {})) all[key] = [labels![key]!];
  return all;
}

/** Scales a profile of sampled figures up, and says how large the objects of each sample were on average. */
export function scaleUp(profile: ProfileData): ProfileData {
  const scaled = (sample: Sample): Sample => {
    const [allocObjects = 0, allocBytes = 0, inUseObjects = 0, inUseBytes = 0] = sample.values;
    const { stack } = sample;
    return {
      values: [
        ...unsample(allocObjects, allocBytes, profile.period),
        ...unsample(inUseObjects, inUseBytes, profile.period),
      ],
      stack: stack.length === 0 ? UNKNOWN_STACK : stack,
      labels: sample.labels,
      numLabels: allocObjects > 0 ? label('bytes', Math.trunc(allocBytes / allocObjects)) : NO_LABELS,
    };
  };
  return { ...profile, samples: meterOnThread(() => profile.samples.map(scaled)) };
}

/** Of an earlier moment it is not known what had been allocated until then. */
export function onlyInUse(profile: ProfileData): ProfileData {
  return {
    ...profile,
    sampleTypes: profile.sampleTypes.slice(2),
    samples: profile.samples.map((sample) => ({ ...sample, values: sample.values.slice(2) })),
  };
}

/** Objects and bytes that those sampled stand for. */
export function unsample(objects: number, bytes: number, sampleInterval: number): [number, number] {
  if (objects === 0 || bytes === 0) return [0, 0];
  const factor = scaleFactor(objects, bytes, sampleInterval);
  return [Math.trunc(objects * factor), Math.trunc(bytes * factor)];
}

function label<T>(key: string, value: T): Record<string, T[]> {
  return Object.assign(newLabels<T>(), { [key]: [value] });
}

/** No figure of a record is negative; what is not a number at all counts as 0. */
function toCount(value: number): number {
  return Number.isFinite(value) && value > 0 ? Math.trunc(value) : 0;
}

// The one way from records to a finished profile: read → sources → scale → encode → compress. `writeTo`, HTTP, the files
// and Pyroscope all take it, as a whole (`captureProfile`) or stage by stage.
import { meterOnThread } from '../addon/meter-on-thread.js';
import { type NativeMoment, native } from '../addon/native.js';
import { untilAborted } from '../base/abort.js';
import { lazily } from '../base/lazily.js';
import { programName } from '../base/program.js';
import type { ProfileData } from '../profile/model.js';
import type { MemProfileRecord, MemStats } from '../profile/public-types.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { momentRecords, readBufferRecords, readLifetimes, readRecords } from '../sampler/records.js';

const zlib = lazily(() => require('node:zlib') as typeof import('node:zlib'));
const compression = lazily(
  () => require('../formats/compress.js') as typeof import('../formats/compress.js'),
);
const heapValues = lazily(
  () => require('../profile/heap-values.js') as typeof import('../profile/heap-values.js'),
);
const lifetimes = lazily(
  () => require('../profile/lifetimes.js') as typeof import('../profile/lifetimes.js'),
);
const text = lazily(
  () => require('../formats/gotext/encode.js') as typeof import('../formats/gotext/encode.js'),
);
const pprof = lazily(
  () => require('../formats/pprof/encode.js') as typeof import('../formats/pprof/encode.js'),
);
const heapProfile = lazily(
  () => require('../formats/devtools/encode.js') as typeof import('../formats/devtools/encode.js'),
);
const folded = lazily(() => require('../formats/folded.js') as typeof import('../formats/folded.js'));
const sources = lazily(() => require('./source-maps.js') as typeof import('./source-maps.js'));
const remarks = lazily(() => require('./remarks.js') as typeof import('./remarks.js'));
const proto = lazily(() => require('./snapshot-proto.js') as typeof import('./snapshot-proto.js'));

/**
 * `heap` and `allocs` have the same figures, of V8's heap; they differ in the one shown first. `buffers` is of the memory of Buffers
 * and ArrayBuffers, which is outside of it: of threads that were started with `buffers: true`, as of now. Lines of its
 * frames are those of the calls. `peak` is what was in use when the heap was largest after a collection, of all threads.
 * `lifetimes` is what became of the memory: what died before it outlived a major collection, what outlived one and died later,
 * with its age, and what is in use.
 */
export type ProfileName = 'heap' | 'allocs' | 'buffers' | 'peak' | 'lifetimes';

/** How a profile is written. */
export interface Form {
  /** Go's text has the figures as they were sampled; in all others they are scaled up. Only `pprof` is compressed. */
  format: 'text' | 'pprof' | 'heapprofile' | 'folded';
  /** Of the text. Default `heap`. */
  header?: 'heap' | 'heap_v2';
  /** The value that is shown first, or the only one. Default: see `defaultSampleType`. */
  sampleType?: string;
  /** What readers call the profile. Default: the name of this program. */
  program?: string;
  /** Of pprof's proto. */
  comments?: string[];
}

export interface CaptureOptions extends Form {
  /** Whether frames of built code are shown as they are in its sources. */
  sourceMaps: boolean;
  signal?: AbortSignal;
}

/** The records of a profile as of one moment, and what else is needed to write them. */
export interface Capture {
  name: ProfileName;
  records: readonly MemProfileRecord[];
  /** Mean bytes between two samples; 0 if nothing was ever sampled. */
  sampleInterval: number;
  memStats: MemStats;
  timeNanos: number;
  /** Of pprof's proto. */
  comments?: string[];
  /** Of lifetimes: see `NativeRecords`. */
  promoted?: ArrayLike<number>;
}

/** The value that a profile shows first. */
export function defaultSampleType(name: ProfileName): string {
  if (name === 'lifetimes') return 'promoted_space';
  return name === 'allocs' ? 'alloc_space' : 'inuse_space';
}

/** A finished profile of this moment. Only pprof's proto is made off the calling thread. */
export async function captureProfile(
  name: ProfileName,
  options: CaptureOptions,
): Promise<string | Uint8Array> {
  const { format, sourceMaps, signal } = options;
  signal?.throwIfAborted();
  if ((name === 'peak' || name === 'lifetimes') && format === 'pprof') {
    const capture = await withSources(readCapture(name), { sourceMaps, signal });
    return encodeProto({ ...toProfile(capture, options), comments: capture.comments ?? [] });
  }
  if (format !== 'pprof') {
    return encode(await withSources(readCapture(name), { sourceMaps, signal }), options);
  }
  const { sampleType = defaultSampleType(name), program = programName() } = options;
  const ofBuffers = name === 'buffers';
  return untilAborted(
    proto().snapshotProto({
      ofBuffers,
      defaultSampleType: sampleType,
      sourceMaps,
      program,
      comments: remarks().remarksOn(name),
    }),
    signal,
  );
}

/** Stage 1, on the calling thread. */
export function readCapture(name: ProfileName): Capture {
  // Go reads the stats first, so that the writer's own allocations are not in them.
  const memStats = readMemStats();
  const timeNanos = Date.now() * 1e6;
  const { heap, buffers } = native().readStatus();
  if (name === 'peak') return readPeak(memStats, heap.sampleInterval);
  if (name === 'lifetimes') {
    const isKnown = native().readStatus().overhead.sampling !== null;
    return {
      name,
      ...(isKnown ? meterOnThread(readLifetimes) : { records: [], promoted: [] }),
      sampleInterval: heap.sampleInterval,
      memStats,
      timeNanos,
      comments: isKnown
        ? []
        : ['memprof: lifetimes are only known of samples that memprof takes itself: see directSamples'],
    };
  }
  return meterOnThread(() =>
    name === 'buffers'
      ? {
          name,
          records: readBufferRecords(true),
          sampleInterval: buffers.sampleInterval,
          memStats,
          timeNanos,
        }
      : { name, records: readRecords(true), sampleInterval: heap.sampleInterval, memStats, timeNanos },
  );
}

/** What was in use at the peak; of nothing before the first collection. */
function readPeak(memStats: MemStats, sampleInterval: number): Capture {
  const peak = native().readPeak();
  if (peak === null)
    return { name: 'peak', records: [], sampleInterval, memStats, timeNanos: Date.now() * 1e6 };
  return {
    ...captureOf(peak, sampleInterval),
    name: 'peak',
    memStats,
    comments: [`memprof: the heap was largest then, with ${peak.heapUsed} bytes after a collection`],
  };
}

/** An earlier moment. */
export function captureOf(
  moment: NativeMoment,
  sampleInterval: number,
  ofBuffers = false,
): Pick<Capture, 'records' | 'sampleInterval' | 'timeNanos'> {
  return {
    records: meterOnThread(() => momentRecords(moment, ofBuffers)),
    sampleInterval,
    timeNanos: Math.round(Date.now() - moment.ageMs) * 1e6,
  };
}

export interface SourceOptions {
  sourceMaps: boolean;
  signal?: AbortSignal | undefined;
}

/** Stage 2: frames of built code as they are in its sources, which another thread reads. */
export async function withSources(capture: Capture, { sourceMaps, signal }: SourceOptions): Promise<Capture> {
  if (!sourceMaps) return capture;
  return { ...capture, records: await untilAborted(sources().withSources(capture.records), signal) };
}

/** Stage 3: a profile of figures that are scaled up. */
export function toProfile(capture: Capture, form: Omit<Form, 'format'> = {}): ProfileData {
  if (capture.promoted !== undefined) {
    return lifetimes().lifetimesOf(toSampledProfile(capture, form), capture.promoted);
  }
  const profile = heapValues().profileFromRecords(capture.records, profileOptions(capture, form));
  return capture.name === 'peak' ? heapValues().onlyInUse(profile) : profile;
}

/** Stage 3 where a delta has to come before the scaling: see `scaleUp`. */
export function toSampledProfile(capture: Capture, form: Omit<Form, 'format'> = {}): ProfileData {
  return heapValues().sampledProfile(capture.records, profileOptions(capture, form));
}

function profileOptions(
  { name, sampleInterval, timeNanos }: Capture,
  { sampleType, program }: Partial<Form>,
) {
  return {
    sampleInterval,
    timeNanos,
    defaultSampleType: sampleType ?? defaultSampleType(name),
    program: program ?? programName(),
  };
}

/** Stages 4 and 5 of a profile, for programs that go on. */
export function encodeProto(profile: ProfileData): Promise<Buffer> {
  return compression().compress(pprof().encodeProto(profile));
}

/** Stages 2 to 5 at once, for a program that is about to end and may be held up. */
export function encodeNow(capture: Capture, options: CaptureOptions): string | Uint8Array {
  const { records } = capture;
  const shown = options.sourceMaps ? { ...capture, records: sources().withSourcesSync(records) } : capture;
  const encoded = encode(shown, options);
  if (options.format !== 'pprof') return encoded;
  const { gzipSync, constants } = zlib();
  return gzipSync(encoded, { level: constants.Z_BEST_SPEED });
}

/** Stages 3 and 4. */
function encode(capture: Capture, form: Form): string | Uint8Array {
  const { format, header } = form;
  const comments = [...(form.comments ?? []), ...remarks().remarksOn(capture.name)];
  if (format === 'text') {
    const { records, memStats, sampleInterval } = capture;
    const heapText = text().formatHeapText(records, memStats, { sampleInterval, ...(header && { header }) });
    return `${heapText}${comments.map((comment) => `# ${comment}\n`).join('')}`;
  }
  const profile = { ...toProfile(capture, form), comments };
  if (format === 'heapprofile') return heapProfile().formatHeapProfile(profile);
  return format === 'folded' ? folded().formatFolded(profile) : pprof().encodeProto(profile);
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { meterOnThread } from '../addon/meter-on-thread.js';
import { type NativeProtoOptions, type NativeSnapshot, native } from '../addon/native.js';
import { compress } from '../formats/compress.js';
import { frameAt, toPath } from '../sampler/frames.js';
import { framesInSources } from './source-maps.js';

// To look for source maps, and to parse them, takes time: other events have their turn after that many milliseconds.
const TURN_MS = 5;

export interface SnapshotOptions {
  /** Of buffers instead of the heap. */
  ofBuffers: boolean;
  defaultSampleType: string;
  /** Whether frames of built code are written as they are in its sources. */
  sourceMaps: boolean;
  /** What readers call the profile. */
  program: string;
}

/**
 * A profile as pprof's proto, gzipped. Its records are read, written and compressed off the calling thread, which but
 * brings the figures up to date and looks for source maps.
 */
export async function snapshotProto({ ofBuffers, sourceMaps, ...options }: SnapshotOptions): Promise<Buffer> {
  const timeNanos = Date.now() * 1e6;
  const { sampleInterval, bufferSampleInterval } = native().readStatus();
  const snapshot = await meterOnThread(() => native().takeSnapshot(ofBuffers));
  const fileNames = snapshot.files.map(toPath);
  const shown = sourceMaps ? await shownFrames(snapshot, fileNames, ofBuffers) : NOTHING;
  const proto = await meterOnThread(() =>
    snapshot.encode({
      ...options,
      ...shown,
      sampleInterval: ofBuffers ? bufferSampleInterval : sampleInterval,
      timeNanos,
      fileNames,
    }),
  );
  return compress(proto);
}

type Shown = Pick<
  NativeProtoOptions,
  'shownFrames' | 'shownFunctions' | 'shownFiles' | 'shownLines' | 'shownColumns'
>;

const NOTHING: Shown = {
  shownFrames: [],
  shownFunctions: [],
  shownFiles: [],
  shownLines: [],
  shownColumns: [],
};

async function shownFrames(
  snapshot: NativeSnapshot,
  fileNames: readonly string[],
  ofBuffers: boolean,
): Promise<Shown> {
  const refs: number[] = [];
  const frames: ReturnType<typeof frameAt>[] = [];
  let turn = performance.now();
  for (const [file, fileName] of fileNames.entries()) {
    const mapped = meterOnThread(() =>
      framesInSources(fileName, () => Array.from(snapshot.framesOf(file), (ref) => frameAt(ref, ofBuffers))),
    );
    if (mapped !== undefined) {
      for (const ref of snapshot.framesOf(file)) refs.push(ref);
      for (const frame of mapped) frames.push(frame);
    }
    if (performance.now() - turn > TURN_MS) {
      await nextTurn();
      turn = performance.now();
    }
  }
  return {
    shownFrames: refs,
    shownFunctions: frames.map(({ functionName }) => functionName),
    shownFiles: frames.map(({ fileName }) => fileName),
    shownLines: frames.map(({ lineNumber }) => lineNumber),
    shownColumns: frames.map(({ columnNumber }) => columnNumber),
  };
}

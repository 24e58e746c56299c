import { setImmediate as nextTurn } from 'node:timers/promises';
import { meterOnThread } from '../addon/meter-on-thread.js';
import { type NativeProtoOptions, type NativeSnapshot, native } from '../addon/native.js';
import { compress } from '../formats/compress.js';
import { frameAt, toPath } from '../sampler/frames.js';
import { findFrames, frameInSources, isMapped, isPlain } from './source-maps.js';

// Reading many frames takes time, so other events get their turn after this many milliseconds.
const TURN_MS = 5;

export interface SnapshotOptions {
  /** Of buffers instead of the heap. */
  ofBuffers: boolean;
  defaultSampleType: string;
  /** Whether frames of built code are written as they are in its sources. */
  sourceMaps: boolean;
  /** What readers call the profile. */
  program: string;
  comments?: readonly string[];
}

/**
 * A profile as pprof's proto, gzipped. Its records are read, written and compressed off the calling thread, which only
 * brings the figures up to date and looks for source maps.
 */
export async function snapshotProto({ ofBuffers, sourceMaps, ...options }: SnapshotOptions): Promise<Buffer> {
  const timeNanos = Date.now() * 1e6;
  const { heap, buffers } = native().readStatus();
  const snapshot = await meterOnThread(() => native().takeSnapshot(ofBuffers));
  const fileNames = snapshot.files.map(toPath);
  const shown = sourceMaps ? await shownFrames(snapshot, fileNames, ofBuffers) : NOTHING;
  const proto = await meterOnThread(() =>
    snapshot.encode({
      comments: [],
      ...options,
      ...shown,
      sampleInterval: (ofBuffers ? buffers : heap).sampleInterval,
      timeNanos,
      fileNames,
    }),
  );
  return compress(proto);
}

type Shown = Pick<
  NativeProtoOptions,
  'shownFrames' | 'shownFunctions' | 'shownFiles' | 'shownLines' | 'shownColumns' | 'shownStarts'
>;

const NOTHING: Shown = {
  shownFrames: [],
  shownFunctions: [],
  shownFiles: [],
  shownLines: [],
  shownColumns: [],
  shownStarts: [],
};

/** Looks up a few frames of each unknown file first, and all its frames only if the file has a source map. */
async function shownFrames(
  snapshot: NativeSnapshot,
  fileNames: readonly string[],
  ofBuffers: boolean,
): Promise<Shown> {
  const frameOf = (ref: number) => frameAt(ref, ofBuffers);
  const others = [...fileNames.entries()].filter(([, fileName]) => !isPlain(fileName));
  await findFrames(await inTurns(others, ([file]) => someOf(snapshot.framesOf(file)).map(frameOf)));
  const mapped = others.filter(([, fileName]) => isMapped(fileName));
  const refs = await inTurns(mapped, ([file]) => Array.from(snapshot.framesOf(file)));
  await findFrames(await inTurns(refs, (ref) => [frameOf(ref)]));
  const frames = await inTurns(refs, (ref) => [frameInSources(frameOf(ref))]);
  return {
    shownFrames: refs,
    shownFunctions: frames.map(({ functionName }) => functionName),
    shownFiles: frames.map(({ fileName }) => fileName),
    shownLines: frames.map(({ lineNumber }) => lineNumber),
    shownColumns: frames.map(({ columnNumber }) => columnNumber),
    shownStarts: frames.map(({ lineNumber, startLine = lineNumber }) => startLine),
  };
}

const SOME = 8;

function someOf(refs: Uint32Array): number[] {
  const step = Math.max(1, Math.floor(refs.length / SOME));
  return Array.from({ length: Math.min(SOME, refs.length) }, (_, i) => refs[i * step]!);
}

async function inTurns<T, U>(from: readonly T[], toSome: (each: T) => readonly U[]): Promise<U[]> {
  const all: U[] = [];
  for (let next = 0; next < from.length; ) {
    if (next > 0) await nextTurn();
    next = meterOnThread(() => {
      const turn = performance.now();
      let at = next;
      do {
        for (const one of toSome(from[at]!)) all.push(one);
      } while (++at < from.length && performance.now() - turn < TURN_MS);
      return at;
    });
  }
  return all;
}

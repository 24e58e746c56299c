import { findSourceMap } from 'node:module';
import path from 'node:path';
import { meterOnThread } from '../addon/meter-on-thread.js';
import { lazily } from '../base/lazily.js';
import type { BucketRecord } from '../profile/delta.js';
import { labelInSources, NAMELESS } from '../profile/function-label.js';
import type { Sample } from '../profile/model.js';
import type { Frame, MemProfileRecord } from '../profile/public-types.js';
import { functionStartOf, isAtCall, isNameless, scriptPlaceOf } from '../sampler/frames.js';
import { countLeftOut, countMap } from '../sampler/source-map-tally.js';
import { compiledCode } from './source-maps/compiled-code.js';
import type { Answer, Place, Problem, Question, SourcePlace } from './source-maps/find-sources.js';
import { KnownFiles } from './source-maps/known-files.js';
import type { RawSourceMap } from './source-maps/source-map.js';

const thread = lazily(
  () => require('./source-maps/ask-thread.js') as typeof import('./source-maps/ask-thread.js'),
);
const finder = lazily(
  () => require('./source-maps/find-sources.js') as typeof import('./source-maps/find-sources.js'),
);

// How many files are asked about at a time, and how many places per question. A question is copied in one go, so it must
// stay small.
const FILES_AT_ONCE = 16;
const PLACES_AT_ONCE = 1000;
// Node.js reads a map on the thread that asks, so we ask only where the compiled code has at most this size.
const MAX_NODES_BYTES = 1024 * 1024;
// Where there is no other thread.
const MAX_BYTES_HERE = 1024 * 1024;

type Frames = readonly Readonly<Frame>[];

// Frames live as long as the process, and so does what they are mapped to.
const mappedFrames = new WeakMap<Readonly<Frame>, Readonly<Frame>>();
const files = new KnownFiles();

/**
 * Finds out where frames of built code are in its sources, so that `frameInSources` knows. Maps are taken from code that
 * was transpiled while it was loaded, where memprof saw that, from Node.js (`--enable-source-maps`), from the end of the
 * file, or from beside it. Another thread reads them; this one only asks. Whatever cannot be read or mapped stays as it is,
 * and is counted in `status()`: never rejects.
 */
export async function findFrames(frames: Iterable<Readonly<Frame>>): Promise<void> {
  const unknown = meterOnThread(() => [...unknownFrames(frames)]);
  for (let i = 0; i < unknown.length; i += FILES_AT_ONCE) {
    await Promise.all(
      unknown.slice(i, i + FILES_AT_ONCE).map(([fileName, those]) => findInFile(fileName, those)),
    );
  }
}

/** `findFrames` on this thread, however long it takes: for a process that is about to end, or does nothing else. */
function findFramesSync(frames: Iterable<Readonly<Frame>>): void {
  meterOnThread(() => findHere(frames));
}

function findHere(frames: Iterable<Readonly<Frame>>): void {
  for (const [fileName, those] of unknownFrames(frames)) {
    const { findSources } = finder();
    const answer = findSources(questionFor(fileName, those));
    const nodesMap = nodesMapOf(fileName, answer);
    accept(
      fileName,
      those,
      nodesMap === undefined ? answer : findSources({ ...questionFor(fileName, those), nodesMap }),
    );
  }
}

/** The frame as it is in the sources, as far as that was found out. */
export function frameInSources(frame: Readonly<Frame>): Readonly<Frame> {
  return mappedFrames.get(frame) ?? frame;
}

/** Whether it is known that frames of the file are shown as they are: there is no need to ask. */
export function isPlain(fileName: string): boolean {
  return !path.isAbsolute(fileName) || files.get(fileName)?.state === 'plain';
}

/** Whether it is known that frames of the file are shown otherwise. */
export function isMapped(fileName: string): boolean {
  const state = files.get(fileName)?.state;
  return state === 'mapped' || state === 'compiled';
}

/** The same records with their frames as in the sources; see `findFrames`. */
export async function withSources(
  records: readonly MemProfileRecord[],
): Promise<readonly MemProfileRecord[]> {
  await findFrames(framesOf(records));
  return withKnownSources(records);
}

/** `withSources` by `findFramesSync`. */
export function withSourcesSync(records: readonly MemProfileRecord[]): readonly MemProfileRecord[] {
  findFramesSync(framesOf(records));
  return withKnownSources(records);
}

/** Samples of this process with their frames as in the sources; see `findFrames`. */
export async function samplesInSources(samples: readonly CapturedSample[]): Promise<Sample[]> {
  await findFrames(framesOfSamples(samples));
  return samples.map((sample) => ({ ...sample, stack: stackInSources(sample.stack) }));
}

function* framesOfSamples(samples: readonly CapturedSample[]): Iterable<Readonly<Frame>> {
  for (const { stack } of samples) yield* stack;
}

/** A sample made of a record. */
export type CapturedSample = Sample & { stack: Frames };

/** `withSources` without finding out any more. */
function withKnownSources(records: readonly MemProfileRecord[]): readonly MemProfileRecord[] {
  return records.map((record) => new MappedRecord(record));
}

/** Of all records; frames of several stacks come several times. */
export function* framesOf(records: readonly MemProfileRecord[]): Iterable<Readonly<Frame>> {
  for (const record of records) yield* record.stack();
}

/** Finds the frames still to be looked up, by file. Marks those of plain files as known, because they need no question. */
function unknownFrames(frames: Iterable<Readonly<Frame>>): Map<string, Readonly<Frame>[]> {
  const unknown = new Map<string, Set<Readonly<Frame>>>();
  for (const frame of frames) {
    if (mappedFrames.has(frame)) continue;
    if (isPlain(frame.fileName)) {
      mappedFrames.set(frame, frame);
      continue;
    }
    const those = unknown.get(frame.fileName);
    if (those === undefined) unknown.set(frame.fileName, new Set([frame]));
    else those.add(frame);
  }
  return new Map(Array.from(unknown, ([fileName, those]) => [fileName, [...those]]));
}

// By file: a map that two ask for is read once.
const underWay = new Map<string, Promise<void>>();

async function findInFile(fileName: string, frames: Frames): Promise<void> {
  for (let other = underWay.get(fileName); other !== undefined; other = underWay.get(fileName)) await other;
  const finding = findAll(
    fileName,
    frames.filter((frame) => !mappedFrames.has(frame)),
  );
  underWay.set(fileName, finding);
  await finding;
  underWay.delete(fileName);
}

async function findAll(fileName: string, frames: Frames): Promise<void> {
  for (let i = 0; i < frames.length; i += PLACES_AT_ONCE) {
    const those = frames.slice(i, i + PLACES_AT_ONCE);
    let answer = await ask(() => questionFor(fileName, those));
    const nodesMap = meterOnThread(() => nodesMapOf(fileName, answer));
    if (nodesMap !== undefined) answer = await ask(() => ({ ...questionFor(fileName, those), nodesMap }));
    meterOnThread(() => accept(fileName, those, answer));
  }
}

async function ask(question: () => Question): Promise<Answer | Problem> {
  const answer = await meterOnThread(() => thread().askThread(question()));
  if (answer !== 'no thread') return answer;
  const here = meterOnThread(() => finder().findSources({ ...question(), maxBytes: MAX_BYTES_HERE }));
  return here.problem === 'too large' ? 'no thread' : here;
}

function questionFor(fileName: string, frames: Frames): Question {
  const code = compiledCode(fileName);
  const map = files.get(fileName)?.map;
  return {
    fileName,
    places: frames.map(toPlace),
    ...(code === undefined ? {} : { code }),
    ...(map === undefined ? {} : { map }),
  };
}

function toPlace(frame: Readonly<Frame>): Place {
  const functionName = isNameless(frame) ? NAMELESS : frame.functionName;
  const place = { functionName, ...functionStartOf(frame), ...scriptPlaceOf(frame) };
  if (!isAtCall(frame)) return place;
  const { line, column } = place;
  const isStart = frame.lineNumber === line && frame.columnNumber === column;
  return isStart ? place : { ...place, call: { line: frame.lineNumber, column: frame.columnNumber } };
}

/** What Node.js has of code that is not in its file; only if the program has it read source maps. */
function nodesMapOf(fileName: string, answer: Answer | Problem): RawSourceMap | undefined {
  if (typeof answer === 'string') return undefined;
  const isElsewhere = answer.state === 'compiled' || (answer.state === 'plain' && answer.fileBytes === 0);
  if (!isElsewhere || answer.problem !== undefined || answer.fileBytes > MAX_NODES_BYTES) return undefined;
  try {
    const payload = findSourceMap(fileName)?.payload as RawSourceMap | undefined;
    if (payload === undefined) return undefined;
    const { mappings, names, sources, sourceRoot, sections } = payload;
    return { mappings, names, sources, sourceRoot, ...(sections === undefined ? {} : { sections }) };
  } catch {
    return undefined;
  }
}

function accept(fileName: string, frames: Frames, answer: Answer | Problem): void {
  const problem = typeof answer === 'string' ? answer : answer.problem;
  if (problem !== undefined && files.get(fileName)?.state !== 'plain') countLeftOut(problem);
  if (typeof answer === 'string' || answer.problem !== undefined) {
    files.set(fileName, 'plain');
    for (const frame of frames) mappedFrames.set(frame, frame);
    return;
  }
  const { state, compared, map, places, inMemory } = answer;
  if (map !== undefined) countMap();
  if (state !== 'plain' || compared) files.set(fileName, state, map);
  for (const [index, frame] of frames.entries()) {
    const place = places[index] ?? null;
    if (place !== null) mappedFrames.set(frame, inSource(frame, place));
    else mappedFrames.set(frame, state === 'compiled' || inMemory ? inCompiledCode(frame) : frame);
  }
}

function inSource(
  frame: Readonly<Frame>,
  { functionName: found, fileName, line, column, call }: SourcePlace,
): Readonly<Frame> {
  const functionName = found === NAMELESS ? labelInSources(frame.functionName, fileName, line) : found;
  return Object.freeze({
    ...frame,
    functionName,
    fileName,
    lineNumber: call?.line ?? line,
    columnNumber: call?.column ?? column,
    ...(isAtCall(frame) && frame.startLine !== undefined ? { startLine: line } : {}),
  });
}

/** The line is of what was compiled, which the file is not: so it must not look like a line of the file. */
function inCompiledCode(frame: Readonly<Frame>): Readonly<Frame> {
  // The compiled code and the file begin at the same place.
  if (frame.lineNumber <= 1 && frame.columnNumber <= 1) return frame;
  const fileName = `${frame.fileName} (compiled)`;
  const functionName = isNameless(frame)
    ? labelInSources(frame.functionName, fileName, frame.lineNumber)
    : frame.functionName;
  return Object.freeze({ ...frame, functionName, fileName });
}

const mappedStacks = new WeakMap<Frames, Frames>();

function stackInSources(stack: Frames): Frames {
  let mapped = mappedStacks.get(stack);
  if (mapped === undefined) {
    mapped = stack.map(frameInSources);
    // What is not found out yet may be later.
    if (stack.every((frame) => mappedFrames.has(frame))) mappedStacks.set(stack, mapped);
  }
  return mapped;
}

class MappedRecord implements BucketRecord {
  readonly allocBytes: number;
  readonly freeBytes: number;
  readonly allocObjects: number;
  readonly freeObjects: number;
  readonly thread?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly #record: BucketRecord;

  constructor(record: BucketRecord) {
    this.allocBytes = record.allocBytes;
    this.freeBytes = record.freeBytes;
    this.allocObjects = record.allocObjects;
    this.freeObjects = record.freeObjects;
    if (record.thread !== undefined) this.thread = record.thread;
    if (record.labels !== undefined) this.labels = record.labels;
    this.#record = record;
  }

  get bucket(): string | undefined {
    return this.#record.bucket;
  }

  stack(): Frames {
    return stackInSources(this.#record.stack());
  }

  inUseBytes(): number {
    return this.#record.inUseBytes();
  }

  inUseObjects(): number {
    return this.#record.inUseObjects();
  }
}

import { fileURLToPath } from 'node:url';
import { native } from '../addon/native.js';
import { functionLabel } from '../profile/function-label.js';
import { addressOfCalls } from '../profile/locations.js';
import type { Frame } from '../profile/public-types.js';

/** The frames of a stack, leaf first, by its ref. */
export type StackAt = (stack: number) => readonly Readonly<Frame>[];

/** A path of a script as V8 names it. */
export function toPath(url: string): string {
  if (!url.startsWith('file:')) return url;
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/** Where a frame's function is in the text that V8 compiled; -1 for what is not known. */
export interface ScriptPlace {
  /** Characters before it. */
  start: number;
  /** Characters of the text. */
  length: number;
}

const scriptPlaces = new WeakMap<Readonly<Frame>, ScriptPlace>();
const UNKNOWN: ScriptPlace = { start: -1, length: -1 };

export function scriptPlaceOf(frame: Readonly<Frame>): ScriptPlace {
  return scriptPlaces.get(frame) ?? UNKNOWN;
}

const functionStarts = new WeakMap<Readonly<Frame>, { line: number; column: number }>();

/** Where the function of a frame starts in what V8 compiled; the frame's own place may be that of a call. */
export function functionStartOf(frame: Readonly<Frame>): { line: number; column: number } {
  return functionStarts.get(frame) ?? { line: frame.lineNumber, column: frame.columnNumber };
}

/** Whether the frame's place is that of a call in a function whose start is known. */
export function isAtCall(frame: Readonly<Frame>): boolean {
  return functionStarts.has(frame);
}

const nameless = new WeakSet<Readonly<Frame>>();

/** Whether V8 has no name for the frame's function: then its place stands in for it. */
export function isNameless(frame: Readonly<Frame>): boolean {
  return nameless.has(frame);
}

/** A frame as the addon describes it. `atCall`: the line is that of a call, and where the function starts is not known. */
export function makeFrame(
  [name, url, line, column, address]: readonly [string, string, number, number, number],
  atCall = false,
): Readonly<Frame> {
  const fileName = toPath(url);
  const frame = Object.freeze({
    functionName: functionLabel(name, fileName, line, atCall ? 0 : column),
    fileName,
    lineNumber: Math.max(0, line),
    columnNumber: Math.max(0, column),
    address,
    ...(atCall ? { startLine: 0 } : {}),
  });
  if (name === '') nameless.add(frame);
  return frame;
}

/** The frame of a function with the place of a call in it. `line` 0: the place is not known. */
function atCall(frame: Readonly<Frame>, line: number, column: number, inlined: boolean): Readonly<Frame> {
  const start = { line: frame.lineNumber, column: frame.columnNumber };
  const made = Object.freeze({
    ...frame,
    ...(line > 0 ? { lineNumber: line, columnNumber: column, startLine: start.line } : {}),
    ...(inlined ? { inlined } : {}),
  });
  functionStarts.set(made, start);
  if (nameless.has(frame)) nameless.add(made);
  return made;
}

/** The same frame at another address. */
function atAddress(frame: Readonly<Frame>, address: number): Readonly<Frame> {
  const made = Object.freeze({ ...frame, address });
  functionStarts.set(made, functionStartOf(frame));
  if (nameless.has(frame)) nameless.add(made);
  const place = scriptPlaces.get(frame);
  if (place !== undefined) scriptPlaces.set(made, place);
  return made;
}

/** Stacks of one profile. Refs stay valid for the life of the process, and the tables that give them out are bounded. */
class Stacks {
  readonly #ofBuffers: boolean;
  readonly #frames = new Map<number, Readonly<Frame>>();
  readonly #locations = new Map<number, Readonly<Frame>[]>();
  readonly #stacks = new Map<number, readonly Readonly<Frame>[]>();

  constructor(ofBuffers: boolean) {
    this.#ofBuffers = ofBuffers;
  }

  stackAt(ref: number): readonly Readonly<Frame>[] {
    let stack = this.#stacks.get(ref);
    if (stack === undefined) {
      const refs = native().stackFrames(ref, this.#ofBuffers);
      const frames = Array.from(refs, (frame) => this.frameAt(frame));
      stack = Object.freeze(this.#ofBuffers ? withoutAllocator(frames) : this.#withLocations(frames));
      this.#stacks.set(ref, stack);
    }
    return stack;
  }

  /** Calls that were inlined share the address of a location with the one into which they were. */
  #withLocations(frames: Readonly<Frame>[]): Readonly<Frame>[] {
    if (!frames.some(({ inlined }) => inlined)) return frames;
    const located: Readonly<Frame>[] = [];
    for (let at = 0, next = 0; at < frames.length; at = next) {
      next = at + 1;
      while (next < frames.length && frames[next - 1]!.inlined) next++;
      const those = frames.slice(at, next);
      located.push(...(those.length === 1 ? those : this.#locationOf(those)));
    }
    return located;
  }

  #locationOf(frames: Readonly<Frame>[]): Readonly<Frame>[] {
    const address = addressOfCalls(frames.map((frame) => frame.address));
    let location = this.#locations.get(address);
    if (location === undefined) {
      location = frames.map((frame) => atAddress(frame, address));
      this.#locations.set(address, location);
    }
    return location;
  }

  frameAt(ref: number): Readonly<Frame> {
    let frame = this.#frames.get(ref);
    if (frame === undefined) {
      const [functionName, url, lineNumber, columnNumber, address, start, length, line, column, inlined] =
        native().readFrame(ref, this.#ofBuffers);
      frame = makeFrame([functionName, url, lineNumber, columnNumber, address], this.#ofBuffers);
      if (line > 0 || inlined) frame = atCall(frame, line, column, inlined);
      this.#frames.set(ref, frame);
      if (start >= 0 || length >= 0) scriptPlaces.set(frame, { start, length });
    }
    return frame;
  }
}

const ALLOCATOR = new Set(['node:buffer', 'node:internal/buffer']);

/** Without the frames of Node's allocator at the leaf, as Go leaves out those of its own; but something must be left. */
function withoutAllocator(frames: Readonly<Frame>[]): Readonly<Frame>[] {
  const caller = frames.findIndex(({ fileName }) => !ALLOCATOR.has(fileName));
  return caller > 0 ? frames.slice(caller) : frames;
}

const heap = new Stacks(false);
const buffers = new Stacks(true);

/** A frame by its ref. */
export function frameAt(ref: number, ofBuffers: boolean): Readonly<Frame> {
  return (ofBuffers ? buffers : heap).frameAt(ref);
}

export const heapStackAt: StackAt = (ref) => heap.stackAt(ref);
export const bufferStackAt: StackAt = (ref) => buffers.stackAt(ref);

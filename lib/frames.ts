import { fileURLToPath } from 'node:url';
import { native } from './native.js';
import type { Frame } from './types.js';

// Refs of frames and stacks stay valid for the life of the process, and the tables that give them out are bounded.
const frames = new Map<number, Readonly<Frame>>();
const stacks = new Map<number, readonly Readonly<Frame>[]>();

/** A path of a script as V8 names it. */
export function toPath(url: string): string {
  if (!url.startsWith('file:')) return url;
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

function frameAt(ref: number): Readonly<Frame> {
  let frame = frames.get(ref);
  if (frame === undefined) {
    const [functionName, url, lineNumber, columnNumber, address] = native().readFrame(ref);
    frame = Object.freeze({
      functionName: functionName === '' ? '(anonymous)' : functionName,
      fileName: toPath(url),
      lineNumber: Math.max(0, lineNumber),
      columnNumber: Math.max(0, columnNumber),
      address,
    });
    frames.set(ref, frame);
  }
  return frame;
}

/** The frames of a stack, leaf first. */
export function stackAt(ref: number): readonly Readonly<Frame>[] {
  let stack = stacks.get(ref);
  if (stack === undefined) {
    stack = Object.freeze(Array.from(native().stackFrames(ref), frameAt));
    stacks.set(ref, stack);
  }
  return stack;
}

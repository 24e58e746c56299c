import { functionLabel } from '../../profile/function-label.js';
import { NO_LABELS } from '../../profile/labels.js';
import { Allowance, LIMITS, profileError } from '../../profile/limits.js';
import type { ProfileData, ProfileFrame, Sample } from '../../profile/model.js';

type Frame = Readonly<ProfileFrame>;

/** A file of DevTools begins like this; no other JSON is read. */
export function isHeapProfile(start: string): boolean {
  return /^\s*\{\s*"(?:head|samples)"\s*:/.test(start);
}

/** Reads a `.heapprofile`: bytes in use, a sample for each node that has a size of its own. */
export function readHeapProfile(bytes: Uint8Array): ProfileData {
  if (bytes.length > LIMITS.jsonBytes) {
    throw profileError(`the .heapprofile has more than ${LIMITS.jsonBytes} bytes`);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    format: 'heapprofile',
    sampleTypes: [{ type: 'inuse_space', unit: 'bytes' }],
    defaultSampleType: 'inuse_space',
    periodType: { type: 'space', unit: 'bytes' },
    period: 0,
    comments: [],
    mappings: [],
    samples: samplesOf(fieldOf(parse(buffer.toString('utf8')), 'head', 'the file')),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw profileError('not a valid .heapprofile: it is no JSON', error);
  }
}

function samplesOf(head: unknown): Sample[] {
  const nodes = new Allowance(LIMITS.locations, 'nodes');
  const left = new Allowance(LIMITS.frames, 'frames');
  const frames = new Map<string, Frame>();
  const samples: Sample[] = [];
  // The frames from the root to a node: the head itself is none. Recursion might be too deep.
  const path: Frame[] = [];
  const open: { children: readonly unknown[]; next: number }[] = [{ children: [head], next: 0 }];
  while (open.length > 0) {
    const top = open.at(-1)!;
    if (top.next === top.children.length) {
      open.pop();
      if (open.length > 1) path.pop();
      continue;
    }
    const node = top.children[top.next++];
    nodes.take();
    if (open.length > 1) path.push(frameOf(fieldOf(node, 'callFrame', 'a node'), frames));
    if (path.length > LIMITS.stackFrames) {
      throw profileError(`the profile has a stack of more than ${LIMITS.stackFrames} frames`);
    }
    const size = fieldOf(node, 'selfSize', 'a node');
    if (!isNumber(size)) throw profileError('not a valid .heapprofile: expected a number as selfSize');
    if (size !== 0) {
      left.take(path.length);
      const stack = [...path].reverse();
      samples.push({ values: [Math.trunc(size)], stack, labels: NO_LABELS, numLabels: NO_LABELS });
    }
    const children = fieldOf(node, 'children', 'a node');
    if (!Array.isArray(children)) {
      throw profileError('not a valid .heapprofile: expected a list as children');
    }
    open.push({ children, next: 0 });
  }
  return samples;
}

function frameOf(callFrame: unknown, frames: Map<string, Frame>): Frame {
  const [name, url, line, column] = ['functionName', 'url', 'lineNumber', 'columnNumber'].map((field) =>
    fieldOf(callFrame, field, 'a callFrame'),
  );
  if (typeof name !== 'string' || typeof url !== 'string' || !isNumber(line) || !isNumber(column)) {
    throw profileError('not a valid .heapprofile: expected texts and numbers in a callFrame');
  }
  // Lines and columns are 0-based there, and -1 if they are unknown.
  const [lineNumber, columnNumber] = [Math.max(0, line + 1), Math.max(0, column + 1)];
  const key = `${lineNumber}:${columnNumber}:${name.length}:${name}${url}`;
  let frame = frames.get(key);
  if (frame === undefined) {
    frame = {
      functionName: name === '' ? functionLabel('', url, lineNumber, columnNumber) : name,
      fileName: url,
      lineNumber,
      ...(columnNumber !== 0 && { columnNumber }),
      address: 0,
    };
    frames.set(key, frame);
  }
  return frame;
}

function fieldOf(object: unknown, field: string, what: string): unknown {
  const value = typeof object === 'object' && object !== null ? Reflect.get(object, field) : undefined;
  if (value === undefined) throw profileError(`not a valid .heapprofile: ${what} has no ${field}`);
  return value;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

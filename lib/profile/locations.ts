import type { ProfileFrame } from './model.js';

// A stack is a list of frames here, and of locations in a proto: a location is an address with the calls inlined there.

type Frame = Readonly<ProfileFrame>;

/** Whether a function is known, even if not by name. A location of other frames has an address only. */
export function hasFunction(frame: Frame): boolean {
  return frame.functionName !== '' || frame.fileName !== '' || frame.unnamed === true;
}

/** Where the location ends that begins at `start`, leaf first: after the call that was not inlined. */
export function endOfLocation(stack: readonly Frame[], start: number): number {
  let next = start + 1;
  while (next < stack.length && isInlinedInto(stack[next - 1]!, stack[next]!)) next++;
  return next;
}

function isInlinedInto(frame: Frame, caller: Frame): boolean {
  return (
    frame.inlined === true &&
    frame.address === caller.address &&
    hasFunction(frame) &&
    hasFunction(caller) &&
    frame.mapping === caller.mapping
  );
}

/** Where the function starts, also where the frame's line is that of a call. */
export function startLineOf({
  lineNumber,
  startLine = lineNumber,
}: Pick<Frame, 'lineNumber' | 'startLine'>): number {
  return startLine;
}

/** The address of a location with inlined calls, from those of their frames, leaf first. All are multiples of 16 below 2^48. */
export function addressOfCalls(addresses: readonly number[]): number {
  return addresses.reduce((address, own) => (((address / 16) * 31 + own / 16) % 2 ** 44) * 16);
}

/** The function's own name, and the linker's, as a proto has them. */
export function functionNames({ functionName, systemName = functionName, unnamed }: Frame): [string, string] {
  return [unnamed ? '' : functionName, systemName];
}

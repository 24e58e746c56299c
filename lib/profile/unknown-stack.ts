import type { Frame } from './public-types.js';

/** What a record without frames is written with. */
// Not a small address: the Perl pprof would name it after some symbol of the program it is given.
export const UNKNOWN_STACK: readonly Readonly<Frame>[] = [
  { functionName: '(unknown)', fileName: '', lineNumber: 0, columnNumber: 0, address: 0xffff_ffff_ffff },
];

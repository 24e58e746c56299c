import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

// To open a pipe could take forever otherwise.
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Files that are larger are left out. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The bytes of a file; `undefined` where there is none. Throws a `RangeError` where there are more than allowed. */
export function readFileBytes(fileName: string, maxBytes: number): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(fileName, OPEN_FLAGS);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(file);
    // A pipe or a device may have no end.
    if (!stat.isFile()) return undefined;
    if (stat.size > maxBytes) throw new RangeError(`${fileName} is too large`);
    const bytes = Buffer.allocUnsafeSlow(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(file, bytes, length, bytes.length - length, length);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

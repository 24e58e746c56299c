// Reads just enough of ELF files to tell which C library a program uses, and whether a file is complete. It knows only
// 64-bit little-endian files, the kind on which Node.js runs.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const SEGMENT_LOADED = 1;
const SEGMENT_INTERPRETER = 3;

interface Segment {
  type: number;
  offset: number;
  bytes: number;
}

interface Elf {
  segments: Segment[];
  /** Where the section table ends. */
  sectionsEnd: number;
}

function read(fd: number, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  return buffer.subarray(0, readSync(fd, buffer, 0, bytes, position));
}

function readElf(fd: number): Elf | undefined {
  const header = read(fd, 0, HEADER_BYTES);
  const is64LittleEndian = header.length === HEADER_BYTES && header.readUInt32BE(0) === 0x7f454c46;
  if (!is64LittleEndian || header[4] !== 2 || header[5] !== 1) return undefined;
  const count = header.readUInt16LE(56);
  const table = read(fd, Number(header.readBigUInt64LE(32)), count * SEGMENT_BYTES);
  const segments: Segment[] = [];
  for (let at = 0; at + SEGMENT_BYTES <= table.length; at += SEGMENT_BYTES) {
    segments.push({
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      bytes: Number(table.readBigUInt64LE(at + 32)),
    });
  }
  const sectionsEnd = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
  return { segments, sectionsEnd };
}

function withFile<T>(file: string, use: (fd: number) => T): T {
  const fd = openSync(file, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Returns the program interpreter (`/lib/ld-musl-x86_64.so.1`), or '' if there is none. Throws errors of the file system. */
export function interpreterOf(file: string): string {
  return withFile(file, (fd) => {
    const segment = readElf(fd)?.segments.find(({ type }) => type === SEGMENT_INTERPRETER);
    if (segment === undefined) return '';
    return read(fd, segment.offset, Math.min(segment.bytes, 4096)).toString('latin1').replace(/\0.*$/s, '');
  });
}

/**
 * Whether the end of a shared library is missing. Loading such a file would map pages that have no file behind them, and
 * the process would die of SIGBUS instead of getting an error. Throws errors of the file system.
 */
export function isCutOff(file: string): boolean {
  return withFile(file, (fd) => {
    const elf = readElf(fd);
    if (elf === undefined) return false; // The loader checks the header itself and fails with an error.
    const loaded = elf.segments.filter(({ type }) => type === SEGMENT_LOADED);
    const end = Math.max(elf.sectionsEnd, ...loaded.map(({ offset, bytes }) => offset + bytes));
    return fstatSync(fd).size < end;
  });
}

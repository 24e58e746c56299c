import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { printable } from '../base/text.js';
import { writeWholeFile } from '../base/whole-file.js';
import { parseProfile, parseText } from '../formats/readers.js';
import type { ParseOptions, ProfileData } from '../profile/model.js';
import { endProgress, progress } from './progress.js';

/** A failure that the user sees as one line, without a stack; exit code 1. */
export class Failure extends Error {}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'no permission',
  ENOSPC: 'no space left',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the limit (ulimit -f)',
  EROFS: 'the file system is read-only',
  ERR_FS_FILE_TOO_LARGE: 'too large',
};

export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return REASONS[code ?? ''] ?? printable((message ?? String(error)).split('\n')[0]!);
}

async function readInput(file: string): Promise<Buffer> {
  if (file !== '-') return readFile(file);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What takes so long to read that a terminal is told. */
const LARGE_BYTES = 4 * 2 ** 20;

/** Reads a profile of any format; `-` is standard input. A large text is not kept in memory. */
export function loadProfile(file: string, options?: ParseOptions): Promise<ProfileData> {
  const read = async () => streamText(file, options) ?? readInput(file);
  return readProfile(file === '-' ? 'standard input' : printable(file), read, options);
}

const CHUNK = 1 << 20;

function tellOfReading(shown: string, size: number): void {
  if (size > LARGE_BYTES) progress(`reading ${shown} (${Math.round(size / 2 ** 20)} MB) …`);
}

/** Undefined for what is no large text. */
function streamText(file: string, options?: ParseOptions): ProfileData | undefined {
  if (file === '-') return undefined;
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size <= CHUNK) return undefined;
    const next = () => {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const count = readSync(fd, chunk);
      return count === 0 ? undefined : chunk.subarray(0, count);
    };
    const first = next();
    if (first === undefined) return undefined;
    let told = false;
    const more = () => {
      if (!told) tellOfReading(printable(file), size);
      told = true;
      return next();
    };
    return parseText(first, more, options);
  } finally {
    closeSync(fd);
  }
}

/** Reads a profile from anywhere; `shown` is its name in error messages. */
export async function readProfile(
  shown: string,
  read: () => Promise<Buffer | ProfileData>,
  options?: ParseOptions,
): Promise<ProfileData> {
  let profile: ProfileData;
  try {
    const input = await read();
    if (Buffer.isBuffer(input)) {
      if (input.length === 0) throw new Failure('the input is empty');
      tellOfReading(shown, input.length);
      profile = parseProfile(input, options);
    } else {
      profile = input;
    }
  } catch (error) {
    throw new Failure(`${shown}: ${reasonOf(error)}`);
  }
  endProgress();
  if (profile.sampleTypes.length === 0) throw new Failure(`${shown}: the profile has no sample types`);
  return profile;
}

/** Writes a file, or standard output for `-`. */
export async function writeOutput(file: string, chunks: Iterable<string | Uint8Array>): Promise<void> {
  if (file === '-') {
    for (const chunk of chunks) await writeStdout(chunk);
    return;
  }
  try {
    writeWholeFile(file, chunks, { flush: true });
  } catch (error) {
    throw new Failure(`cannot write ${printable(path.normalize(file))}: ${reasonOf(error)}`);
  }
}

function writeStdout(chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, (error: NodeJS.ErrnoException | null | undefined) => {
      // In `memprof top FILE | head` the pipe closes early: that is not a failure.
      if (error && error.code !== 'EPIPE') reject(error);
      else resolve();
    });
  });
}

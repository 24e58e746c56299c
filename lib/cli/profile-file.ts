import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { printable } from '../base/text.js';
import { writeWholeFile } from '../base/whole-file.js';
import { parseProfile } from '../formats/readers.js';
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

function reasonOf(error: unknown): string {
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

/** Reads a profile of any format; `-` is standard input. */
export function loadProfile(file: string, options?: ParseOptions): Promise<ProfileData> {
  return readProfile(file === '-' ? 'standard input' : printable(file), () => readInput(file), options);
}

/** Reads a profile from anywhere; `shown` is its name in error messages. */
export async function readProfile(
  shown: string,
  read: () => Promise<Buffer>,
  options?: ParseOptions,
): Promise<ProfileData> {
  let profile: ProfileData;
  try {
    const input = await read();
    if (input.length === 0) throw new Failure('the input is empty');
    if (input.length > LARGE_BYTES) progress(`reading ${shown} (${Math.round(input.length / 2 ** 20)} MB) …`);
    profile = parse(input, options);
  } catch (error) {
    throw new Failure(`${shown}: ${reasonOf(error)}`);
  }
  endProgress();
  if (profile.sampleTypes.length === 0) throw new Failure(`${shown}: the profile has no sample types`);
  return profile;
}

/** Files from `google-pprof --raw` have symbols before the profile; Go's tool cannot read them, the Perl tools can. */
function parse(input: Buffer, options?: ParseOptions): ProfileData {
  try {
    return parseProfile(input, options);
  } catch (error) {
    if (options?.scaling !== undefined || !input.toString('latin1', 0, 10).startsWith('--- symbol'))
      throw error;
    return parseProfile(input, { ...options, scaling: 'perl' });
  }
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

// A file that is there is whole: a disk that is full, or a process that is ended, leaves none under that name, or the one
// that was there before.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

export interface WholeFileOptions {
  /**
   * Wait until the disk has it, so that it is whole after a loss of power, too. That may take seconds: not for threads
   * that are watched.
   */
  flush: boolean;
}

/**
 * Writes a file beside its place, under a name that no reader takes for a profile, and renames it when all of it is
 * there. What is no file (a terminal, a pipe, `/dev/null`) is written to as it is. Throws what the file system does;
 * then nothing is left behind.
 */
export function writeWholeFile(
  file: string,
  chunks: Iterable<string | Uint8Array>,
  { flush }: WholeFileOptions,
): void {
  const existing = statSync(file, { throwIfNoEntry: false });
  // `/dev/stdout` may be a file that others write to, too.
  if ((existing !== undefined && !existing.isFile()) || /^\/(dev|proc)\//.test(file)) {
    writeAndClose(openSync(file, 'w'), chunks, false);
    return;
  }
  // A symbolic link stays one.
  const target = existing === undefined ? file : realpathSync(file);
  const part = path.join(
    path.dirname(target),
    `.memprof.${process.pid}.${randomBytes(4).toString('hex')}.part`,
  );
  try {
    writeAndClose(openSync(part, 'wx', (existing?.mode ?? 0o666) & 0o777), chunks, flush);
    renameSync(part, target);
  } catch (error) {
    try {
      rmSync(part, { force: true });
    } catch {}
    // Users know the file by its own name.
    if (error instanceof Error) error.message = error.message.replaceAll(part, target);
    throw error;
  }
}

function writeAndClose(fd: number, chunks: Iterable<string | Uint8Array>, flush: boolean): void {
  try {
    for (const chunk of chunks) writeFileSync(fd, chunk);
    if (flush) fsyncSync(fd);
  } finally {
    // Network file systems tell only here that there was no room.
    closeSync(fd);
  }
}

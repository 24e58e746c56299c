// Writes files all or nothing: if the disk is full or the process is killed, there is no file under that name, or still
// the one that was there before.
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
   * Wait until the disk has the data, so that the file is complete even after a power failure. This may take seconds:
   * never do it on a thread that is profiled.
   */
  flush: boolean;
}

/**
 * Writes a temporary file in the same directory, under a name that no reader takes for a profile, and renames it when it
 * is complete. If the target is not a regular file (a terminal, a pipe, `/dev/null`), writes to it directly. Throws the
 * errors of the file system, and then leaves nothing behind.
 */
export function writeWholeFile(
  file: string,
  chunks: Iterable<string | Uint8Array>,
  { flush }: WholeFileOptions,
): void {
  const existing = statSync(file, { throwIfNoEntry: false });
  // `/dev/stdout` may be a regular file that other processes write to as well.
  if ((existing !== undefined && !existing.isFile()) || /^\/(dev|proc)\//.test(file)) {
    writeAndClose(openSync(file, 'w'), chunks, false);
    return;
  }
  // Write to the target of a symbolic link, so that the link stays.
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
    // The user knows the target, not the temporary file.
    if (error instanceof Error) error.message = error.message.replaceAll(part, target);
    throw error;
  }
}

function writeAndClose(fd: number, chunks: Iterable<string | Uint8Array>, flush: boolean): void {
  try {
    for (const chunk of chunks) writeFileSync(fd, chunk);
    if (flush) fsyncSync(fd);
  } finally {
    // Network file systems may report a full disk only here.
    closeSync(fd);
  }
}

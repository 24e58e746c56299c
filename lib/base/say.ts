// Messages of memprof inside the program that it watches. They never go through `process.stderr`: if its reader is gone,
// the stream emits an 'error' event, which ends a program that does not listen for it.
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

function write(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // EPIPE, EAGAIN, EBADF, ENOSPC: the message is lost, which is better than disturbing the program.
  }
}

/** Writes a line to standard error synchronously, so that it works even while the process exits. Never throws. */
export function say(message: string): void {
  write(`memprof: ${message}`);
}

type Warning = Error & { code?: string };

/** Emits a warning, as `process.emitWarning` does, with the name `MemprofWarning`. Never throws. */
export function warn(message: string, code?: string): void {
  const warning: Warning = new Error(message);
  warning.name = 'MemprofWarning';
  if (code !== undefined) warning.code = code;
  if (isMainThread) {
    // Node.js prints it and ignores errors of standard error.
    try {
      process.emitWarning(warning);
    } catch {} // The program may have replaced `emitWarning`.
    return;
  }
  // In a worker, Node.js would print through the main thread's stream. So the worker calls the listeners itself, and
  // prints in place of Node's own.
  for (const listener of process.rawListeners('warning') as ((warning: Error) => void)[]) {
    // `onWarning` is Node's own listener, which prints; with --no-warnings there is none.
    if (listener.name !== 'onWarning') process.nextTick(() => listener.call(process, warning));
    else write(`(node:${process.pid}) ${code === undefined ? '' : `[${code}] `}MemprofWarning: ${message}`);
  }
}

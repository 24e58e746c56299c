// How memprof speaks inside the program that it watches: never through the program's own streams. An error of theirs (the
// reader of standard error is gone) is an event that ends the program unless it listens.
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

function write(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // EPIPE, EAGAIN, EBADF, ENOSPC: nobody hears it.
  }
}

/** A line on standard error, at once, even while the process ends. Never throws. */
export function say(message: string): void {
  write(`memprof: ${message}`);
}

type Warning = Error & { code?: string };

/** A warning as `process.emitWarning` gives it, with the name `MemprofWarning`. Never throws. */
export function warn(message: string, code?: string): void {
  const warning: Warning = new Error(message);
  warning.name = 'MemprofWarning';
  if (code !== undefined) warning.code = code;
  if (isMainThread) {
    // Node.js prints it, and swallows what standard error says to that.
    try {
      process.emitWarning(warning);
    } catch {} // Somebody replaced it.
    return;
  }
  // A worker's warnings, and its standard error, go through the stream of the main thread.
  for (const listener of process.rawListeners('warning') as ((warning: Error) => void)[]) {
    // Node's own prints. It is not there with --no-warnings.
    if (listener.name !== 'onWarning') process.nextTick(() => listener.call(process, warning));
    else write(`(node:${process.pid}) ${code === undefined ? '' : `[${code}] `}MemprofWarning: ${message}`);
  }
}

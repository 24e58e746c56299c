/** Settles as the promise does, unless the signal aborts first: then it rejects with the signal's reason, at once. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    // A promise that nobody waits for any more must not end the process with an unhandled rejection.
    void promise.then(resolve, reject).then(() => signal.removeEventListener('abort', abort));
  });
}

import type { Writable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';
import { untilAborted } from '../base/abort.js';
import { invalidType } from '../base/errors.js';

/** What a profile is written to: a stream of Node.js or of the web. */
export type Sink = Writable | WritableStream<Uint8Array>;

export function checkSink(sink: Sink): void {
  if (typeof sink !== 'object' || sink === null || !(isWebStream(sink) || typeof sink.write === 'function')) {
    throw invalidType('sink', 'a Node.js Writable stream or a WritableStream', sink);
  }
}

const CLOSED = 'the stream was closed before the profile was written';

function isWebStream(sink: Sink): sink is WritableStream<Uint8Array> {
  return typeof (sink as WritableStream).getWriter === 'function';
}

/**
 * Writes one chunk and resolves when the stream has taken it: rejects with the stream's error if it fails, or closes,
 * first. Does not end the stream. When the signal aborts, the promise is rejected, but the stream already has the
 * chunk.
 */
export function writeToSink(sink: Sink, chunk: string | Uint8Array, signal?: AbortSignal): Promise<void> {
  return isWebStream(sink)
    ? writeToWebStream(sink, chunk, signal)
    : untilAborted(writeToNodeStream(sink, chunk), signal);
}

async function writeToWebStream(
  sink: WritableStream<Uint8Array>,
  chunk: string | Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const writer = sink.getWriter();
  try {
    let isClosed = false;
    writer.closed.then(
      () => {
        isClosed = true;
      },
      () => {},
    );
    await null;
    if (isClosed) throw new Error(CLOSED);
    await untilAborted(writer.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk), signal);
  } finally {
    writer.releaseLock();
  }
}

function writeToNodeStream(sink: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) => {
      sink.off('error', settle);
      sink.off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onClose = () => settle(new Error(CLOSED));
    // A failing stream emits 'error' besides calling back. Without a listener, that would crash the process, even when
    // nobody waits for the profile any more.
    sink.on('error', settle);
    sink.on('close', onClose);
    try {
      sink.write(chunk, (error) => (error ? setImmediate(settle, error) : settle()));
    } catch (error) {
      settle(error as Error);
    }
  });
}

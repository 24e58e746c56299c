import type { Writable } from 'node:stream';
import { invalidType } from '../base/errors.js';

export function checkSink(sink: Writable): void {
  if (typeof sink !== 'object' || sink === null || typeof sink.write !== 'function') {
    throw invalidType('sink', 'a Node.js Writable stream', sink);
  }
}

/**
 * Writes one chunk and resolves when the stream has taken it: rejects with the stream's error if it fails, or closes,
 * first. Does not end the stream.
 */
export function writeToSink(sink: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) => {
      sink.off('error', settle);
      sink.off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onClose = () => settle(new Error('the stream was closed before the profile was written'));
    // A failing stream emits 'error' besides calling back: somebody must listen, or the process dies.
    sink.on('error', settle);
    sink.on('close', onClose);
    try {
      sink.write(chunk, (error) => (error ? setImmediate(settle, error) : settle()));
    } catch (error) {
      settle(error as Error);
    }
  });
}

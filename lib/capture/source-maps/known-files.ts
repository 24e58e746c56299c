import type { Answer } from './find-sources.js';
import type { SourceMap } from './source-map.js';

const MAX_FILES = 10_000;
// As large a map as is read can be kept.
const MAX_MAP_BYTES = 64 * 1024 * 1024;

export interface KnownFile {
  state: Answer['state'];
  map?: SourceMap;
}

/** What was found out of files, within limits: maps that were not used for longest go first. */
export class KnownFiles {
  // The one that was used last is the last one.
  readonly #files = new Map<string, KnownFile>();
  #mapBytes = 0;

  get(fileName: string): KnownFile | undefined {
    const file = this.#files.get(fileName);
    if (file?.map !== undefined) {
      this.#files.delete(fileName);
      this.#files.set(fileName, file);
    }
    return file;
  }

  /** Keeps the map that it had where none is given. */
  set(fileName: string, state: Answer['state'], map = this.#files.get(fileName)?.map): void {
    this.#forget(fileName);
    this.#files.set(fileName, map === undefined || state !== 'mapped' ? { state } : { state, map });
    this.#mapBytes += this.#files.get(fileName)!.map?.bytes ?? 0;
    for (const [oldest, file] of this.#files) {
      if (this.#mapBytes <= MAX_MAP_BYTES) break;
      if (file.map === undefined) continue;
      this.#mapBytes -= file.map.bytes;
      this.#files.set(oldest, { state: file.state });
    }
    if (this.#files.size > MAX_FILES) this.#forget(this.#files.keys().next().value as string);
  }

  #forget(fileName: string): void {
    this.#mapBytes -= this.#files.get(fileName)?.map?.bytes ?? 0;
    this.#files.delete(fileName);
  }
}

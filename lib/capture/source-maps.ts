import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { findSourceMap } from 'node:module';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SourceMapInput, TraceMap } from '@jridgewell/trace-mapping';
import { meterOnThread } from '../addon/meter-on-thread.js';
import { lazily } from '../base/lazily.js';
import type { Frame, MemProfileRecord } from '../profile/public-types.js';

const tracing = lazily(
  () =>
    require('@jridgewell/trace-mapping') as typeof import('@jridgewell/trace-mapping', { with: {
      'resolution-mode': 'require',
    }}),
);

const MIB = 1024 * 1024;
// Decoded, a map takes ten times its size.
const MAX_MAP_BYTES = 16 * MIB;
const MAX_CACHED_BYTES = 4 * MIB;
const MAX_CACHED_FILES = 10_000;
// A comment with the name of a map is at the end of the file.
const TAIL_BYTES = 16 * 1024;
// To open a pipe could take forever otherwise.
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What is known of the source map of a file; `map` is missing if it has none that can be used. */
interface Entry {
  map?: TraceMap;
  bytes: number;
}

// Frames live as long as the process, and so does what they are mapped to; maps themselves come and go.
const mappedFrames = new WeakMap<Readonly<Frame>, Readonly<Frame>>();
const entries = new Map<string, Entry>();
let cachedBytes = 0;

/**
 * The same records with the frames of built code as they are in its sources, where a source map is found: Node's own
 * (`--enable-source-maps`), inline, or beside the file. Files are read when a frame of theirs is seen for the first
 * time; other events have their turn between two of them. Whatever cannot be read or mapped stays as it is: never
 * rejects.
 */
export async function withSources(
  records: readonly MemProfileRecord[],
): Promise<readonly MemProfileRecord[]> {
  for (const [fileName, frames] of unmappedFrames(records)) {
    // To parse a large map takes much longer than to read it.
    if (meterOnThread(() => mapFrames(fileName, frames))) await nextTurn();
  }
  return records.map((record) => new MappedRecord(record));
}

/** `withSources` in one go, for a process that is about to end. */
export function withSourcesSync(records: readonly MemProfileRecord[]): readonly MemProfileRecord[] {
  for (const [fileName, frames] of unmappedFrames(records)) {
    meterOnThread(() => mapFrames(fileName, frames));
  }
  return records.map((record) => new MappedRecord(record));
}

// Maps come and go, but that there is one stays known.
const filesWithMap = new Set<string>();

/** The frames of a file as they are in its sources; `undefined` where no source map is found. Never throws. */
export function framesInSources(
  fileName: string,
  framesOf: () => readonly Readonly<Frame>[],
): readonly Readonly<Frame>[] | undefined {
  if (!path.isAbsolute(fileName)) return undefined;
  if (!filesWithMap.has(fileName)) {
    if (mapOf(fileName) === undefined) return undefined;
    filesWithMap.add(fileName);
  }
  const frames = framesOf();
  const unmapped = frames.filter((frame) => !mappedFrames.has(frame));
  if (unmapped.length > 0) mapFrames(fileName, unmapped);
  return frames.map((frame) => mappedFrames.get(frame) ?? frame);
}

function unmappedFrames(records: readonly MemProfileRecord[]): Map<string, Readonly<Frame>[]> {
  const unmapped = new Map<string, Readonly<Frame>[]>();
  for (const record of records) {
    for (const frame of record.stack()) {
      if (mappedFrames.has(frame)) continue;
      const frames = unmapped.get(frame.fileName);
      if (frames === undefined) unmapped.set(frame.fileName, [frame]);
      else frames.push(frame);
    }
  }
  return unmapped;
}

const mappedStacks = new WeakMap<readonly Readonly<Frame>[], readonly Readonly<Frame>[]>();

class MappedRecord implements MemProfileRecord {
  readonly allocBytes: number;
  readonly freeBytes: number;
  readonly allocObjects: number;
  readonly freeObjects: number;
  readonly thread?: number;
  readonly #record: MemProfileRecord;

  constructor(record: MemProfileRecord) {
    this.allocBytes = record.allocBytes;
    this.freeBytes = record.freeBytes;
    this.allocObjects = record.allocObjects;
    this.freeObjects = record.freeObjects;
    if (record.thread !== undefined) this.thread = record.thread;
    this.#record = record;
  }

  stack(): readonly Readonly<Frame>[] {
    const stack = this.#record.stack();
    let mapped = mappedStacks.get(stack);
    if (mapped === undefined) {
      mapped = stack.map((frame) => mappedFrames.get(frame) ?? frame);
      mappedStacks.set(stack, mapped);
    }
    return mapped;
  }

  inUseBytes(): number {
    return this.#record.inUseBytes();
  }

  inUseObjects(): number {
    return this.#record.inUseObjects();
  }
}

/** False when the file has no map. */
function mapFrames(fileName: string, frames: readonly Readonly<Frame>[]): boolean {
  const map = path.isAbsolute(fileName) ? mapOf(fileName) : undefined;
  for (const frame of frames) mappedFrames.set(frame, map === undefined ? frame : mapFrame(frame, map));
  return map !== undefined;
}

function mapFrame(frame: Readonly<Frame>, map: TraceMap): Readonly<Frame> {
  const { functionName, lineNumber, columnNumber } = frame;
  if (lineNumber === 0) return frame;
  try {
    const column = Math.max(0, columnNumber - 1);
    const segment = tracing().traceSegment(map, lineNumber - 1, column);
    if (segment === null || segment.length === 1) return frame;
    const source = map.sources[segment[1]] ? map.resolvedSources[segment[1]] : undefined;
    if (typeof source !== 'string') return frame;
    // V8's column is that of the parameters, so that what ends there is the name.
    const isName = segment.length === 5 && segment[0] + functionName.length === column;
    const name = isName ? map.names[segment[4]] : undefined;
    return Object.freeze({
      ...frame,
      functionName: typeof name === 'string' && name !== '' ? name : functionName,
      fileName: toPath(source),
      lineNumber: segment[2] + 1,
      columnNumber: segment[3] + 1,
    });
  } catch {
    return frame;
  }
}

function toPath(source: string): string {
  if (!source.startsWith('file:')) return source;
  try {
    return fileURLToPath(source);
  } catch {
    return source;
  }
}

function mapOf(fileName: string): TraceMap | undefined {
  let entry = entries.get(fileName);
  if (entry === undefined) {
    entry = loadMap(fileName);
    cachedBytes += entry.bytes;
  } else {
    entries.delete(fileName);
  }
  // The one that was used last is the last one.
  entries.set(fileName, entry);
  for (const [oldest, { bytes }] of entries) {
    if (cachedBytes <= MAX_CACHED_BYTES && entries.size <= MAX_CACHED_FILES) break;
    entries.delete(oldest);
    cachedBytes -= bytes;
  }
  return entry.map;
}

function loadMap(fileName: string): Entry {
  try {
    return findMap(fileName) ?? { bytes: 0 };
  } catch {
    return { bytes: 0 };
  }
}

function findMap(fileName: string): Entry | undefined {
  const own = findSourceMap(fileName);
  if (own !== undefined) return toEntry(own.payload as SourceMapInput, fileName, own.payload.mappings.length);
  const comment = readComment(fileName);
  if (comment?.startsWith('data:')) {
    const text = decodeDataUrl(comment);
    return text === undefined ? undefined : toEntry(text, fileName, text.length);
  }
  const mapName = comment === undefined ? `${fileName}.map` : resolveName(comment, fileName);
  const text = mapName === undefined ? undefined : readSmallFile(mapName);
  return text === undefined ? undefined : toEntry(text, mapName!, text.length);
}

function toEntry(input: SourceMapInput, mapName: string, bytes: number): Entry {
  return { map: tracing().AnyMap(input, pathToFileURL(mapName).href), bytes };
}

/** What follows the last `//# sourceMappingURL=`. */
function readComment(fileName: string): string | undefined {
  return withFile(fileName, (file, size) => {
    const tail = readTail(file, size, TAIL_BYTES);
    // An inline map is one line, and longer than the tail as a rule.
    const isCut = size > TAIL_BYTES && !tail.trimEnd().includes('\n') && !tail.includes(COMMENT);
    return findComment(isCut ? readTail(file, size, MAX_MAP_BYTES) : tail);
  });
}

const COMMENT = 'sourceMappingURL=';

function findComment(text: string): string | undefined {
  const at = text.lastIndexOf(COMMENT);
  if (at < 4 || !/^\/[/*][#@] ?[ \t]*$/.test(text.slice(Math.max(0, at - 4), at).trimStart()))
    return undefined;
  const url = /^[^\s'"*]+/.exec(text.slice(at + COMMENT.length))?.[0];
  return url;
}

function withFile<T>(fileName: string, read: (file: number, size: number) => T): T {
  const file = openSync(fileName, OPEN_FLAGS);
  try {
    const stat = fstatSync(file);
    // A pipe or a device may have no end.
    if (!stat.isFile()) throw new Error('not a file');
    return read(file, stat.size);
  } finally {
    closeSync(file);
  }
}

function readTail(file: number, size: number, limit: number): string {
  const length = Math.min(size, limit);
  const buffer = Buffer.alloc(length);
  const bytesRead = readSync(file, buffer, 0, length, size - length);
  return buffer.toString('utf8', 0, bytesRead);
}

function readSmallFile(fileName: string): string | undefined {
  return withFile(fileName, (file, size) => (size > MAX_MAP_BYTES ? undefined : readFileSync(file, 'utf8')));
}

function resolveName(url: string, fileName: string): string | undefined {
  const resolved = new URL(url, pathToFileURL(fileName));
  return resolved.protocol === 'file:' ? fileURLToPath(resolved) : undefined;
}

function decodeDataUrl(url: string): string | undefined {
  const comma = url.indexOf(',');
  if (comma === -1) return undefined;
  const body = url.slice(comma + 1);
  return /;base64$/i.test(url.slice(0, comma))
    ? Buffer.from(body, 'base64').toString('utf8')
    : decodeURIComponent(body);
}

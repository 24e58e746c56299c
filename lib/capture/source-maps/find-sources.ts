import { fileURLToPath, pathToFileURL } from 'node:url';
import { findBinding } from './binding.js';
import { CompiledText } from './compiled-text.js';
import { MAX_FILE_BYTES, readFileBytes } from './read-file.js';
import {
  type FoundSegment,
  lookUp,
  namesOf,
  parseSourceMap,
  type RawSourceMap,
  type SourceMap,
  sourceMapOf,
} from './source-map.js';

/** A place in compiled code as V8 has it. */
export interface Place {
  functionName: string;
  /** 1-based; 0 if unknown. */
  line: number;
  column: number;
  /** Characters before the function in its script; -1 if unknown. */
  start: number;
  /** Characters of the script; -1 if unknown. */
  length: number;
  /** A call in the function; its column is 0 if unknown. */
  call?: { line: number; column: number };
}

/** Places of one file, and what is known of it. */
export interface Question {
  fileName: string;
  places: Place[];
  /** What was compiled, where that was seen. */
  code?: string;
  /** The map that Node.js has of it. */
  nodesMap?: RawSourceMap;
  /** The map as it was read before. */
  map?: SourceMap;
  /** Files, and maps in them, that have more bytes are left out; `MAX_FILE_BYTES` unless it says otherwise. */
  maxBytes?: number;
}

export interface SourcePlace {
  functionName: string;
  fileName: string;
  line: number;
  column: number;
  /** Of the call; the column is 0 if unknown. */
  call?: { line: number; column: number };
}

/** Why a map was left out. */
export type Problem =
  | 'too large'
  | 'not found'
  | 'not readable'
  | 'on another host'
  | 'took too long'
  | 'no thread';

export interface Answer {
  /**
   * `plain`: there is no map; `mapped`: there is one; `compiled`: the file is not what was compiled, and of that there is no
   * map.
   */
  state: 'plain' | 'mapped' | 'compiled';
  /** Whether the file was compared with what was compiled. */
  compared: boolean;
  problem?: Problem;
  /** The map, if it was read just now. */
  map?: SourceMap;
  /** For each place where it is in the sources; null where the map says nothing. Empty if there is no map. */
  places: (SourcePlace | null)[];
  /** Whether the map is of code that is in no file: a place it says nothing of is nowhere in the file. */
  inMemory: boolean;
  /** Size of the file, 0 if there is none. */
  fileBytes: number;
}

/** What the map of a file says of places in it. Reads files, for as long as that takes; never throws. */
export function findSources(question: Question): Answer {
  try {
    return new Finder(question).find();
  } catch (error) {
    const problem = error instanceof RangeError ? 'too large' : 'not readable';
    return { ...NOTHING, compared: true, problem };
  }
}

const NOTHING: Answer = { state: 'plain', compared: false, places: [], inMemory: false, fileBytes: 0 };

class Finder {
  readonly #question: Question;
  readonly #maxBytes: number;

  constructor(question: Question) {
    this.#question = question;
    this.#maxBytes = question.maxBytes ?? MAX_FILE_BYTES;
  }

  find(): Answer {
    const { fileName, places, code, nodesMap, map } = this.#question;
    if (code !== undefined) {
      const text = new CompiledText(code, places);
      if (text.compare(places) !== 'other') return { ...this.#inText(text), compared: true, inMemory: true };
    }
    if (nodesMap !== undefined) {
      const read = map ?? sourceMapOf(nodesMap, pathToFileURL(fileName).href);
      return { ...this.#inMap(read, new CompiledText('', [])), compared: true, inMemory: true };
    }
    const bytes = readFileBytes(fileName, this.#maxBytes);
    if (bytes === undefined) return { ...NOTHING, compared: true };
    const text = new CompiledText(toText(bytes), places);
    const verdict = text.compare(places);
    const fileBytes = bytes.length;
    if (verdict === 'other') return { ...NOTHING, state: 'compiled', compared: true, fileBytes };
    return { ...this.#inText(text), compared: verdict === 'same', fileBytes };
  }

  #inText(text: CompiledText): Answer {
    const { map, fileName } = this.#question;
    const found = map ?? this.#findMap(text.text, fileName);
    if (typeof found === 'object') return this.#inMap(found, text);
    return found === undefined ? NOTHING : { ...NOTHING, problem: found };
  }

  #inMap(map: SourceMap, text: CompiledText): Answer {
    const { places, map: known } = this.#question;
    const isNew = map !== known;
    return { ...NOTHING, state: 'mapped', ...(isNew ? { map } : {}), places: placesIn(map, text, places) };
  }

  #findMap(text: string, fileName: string): SourceMap | Problem | undefined {
    const comment = findComment(text);
    const base = pathToFileURL(fileName);
    if (comment?.startsWith('data:')) {
      if (comment.length > this.#maxBytes) return 'too large';
      const bytes = decodeDataUrl(comment);
      return bytes === undefined ? 'not readable' : parseSourceMap(bytes, base.href);
    }
    const url = comment === undefined ? new URL(`${base.href}.map`) : new URL(comment, base);
    if (url.protocol !== 'file:') return 'on another host';
    const bytes = readFileBytes(fileURLToPath(url), this.#maxBytes);
    if (bytes !== undefined) return parseSourceMap(bytes, url.href);
    return comment === undefined ? undefined : 'not found';
  }
}

/** Without a byte order mark, as Node.js compiles it. */
function toText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

const MAX_COLUMN = 2 ** 30;

function placesIn(map: SourceMap, text: CompiledText, places: readonly Place[]): (SourcePlace | null)[] {
  const found = places.map((place) => {
    if (place.line < 1) return undefined;
    const column = Math.max(0, place.column - 1);
    const segment = lookUp(map, place.line - 1, column);
    const source = segment?.section.sources[segment.source];
    if (segment === undefined || typeof source !== 'string') return undefined;
    const line = text.lineFrom(place.line, column);
    const parts = findBinding(line, column, place.functionName).map((part) => {
      const named = lookUp(map, place.line - 1, part.column);
      return { ...part, segment: named?.column === part.column ? named : undefined };
    });
    return { segment, source, parts, call: callIn(map, text, place, segment) };
  });
  const segments = found.flatMap((each) => each?.parts.flatMap(({ segment }) => segment ?? []) ?? []);
  const names = namesOf(segments);
  return found.map((each, index) => {
    if (each === undefined) return null;
    const { segment, source, parts, call } = each;
    return {
      functionName: rename(places[index]!.functionName, parts, names),
      fileName: source,
      line: segment.sourceLine + 1,
      column: segment.sourceColumn + 1,
      ...(call === undefined ? {} : { call }),
    };
  });
}

/**
 * A call of a function that starts in the source of `start`. Where V8 tells no column, the first segment of the line stands
 * for it; but on the line where the function starts, as in a bundle of one line, that may be any other function's.
 */
function callIn(
  map: SourceMap,
  text: CompiledText,
  { line, call }: Place,
  start: FoundSegment,
): SourcePlace['call'] {
  if (call === undefined || (call.column === 0 && call.line === line)) return undefined;
  const indent = text.lineFrom(call.line, 0).search(/\S/);
  const column = call.column > 0 ? call.column - 1 : Math.max(0, indent);
  const found = lookUp(map, call.line - 1, column) ?? lookUp(map, call.line - 1, MAX_COLUMN);
  if (found === undefined || found.section !== start.section || found.source !== start.source)
    return undefined;
  return { line: found.sourceLine + 1, column: call.column > 0 ? found.sourceColumn + 1 : 0 };
}

function rename(
  functionName: string,
  parts: readonly { text: string; segment: FoundSegment | undefined }[],
  names: ReadonlyMap<FoundSegment, string>,
): string {
  if (parts.length === 0) return functionName;
  const old = parts.map(({ text }) => text).join('.');
  const renamed = parts.map(({ text, segment }) => (segment && names.get(segment)) ?? text).join('.');
  // What is before it is `get `, `set `.
  return functionName.slice(0, functionName.length - old.length) + renamed;
}

const COMMENT = 'sourceMappingURL=';

/** What follows the last `//# sourceMappingURL=`. */
function findComment(text: string): string | undefined {
  const at = text.lastIndexOf(COMMENT);
  if (at < 4 || !/^\/[/*][#@] ?[ \t]*$/.test(text.slice(Math.max(0, at - 4), at).trimStart()))
    return undefined;
  // A map in the text may be longer than an expression can match.
  const rest = text.slice(at + COMMENT.length);
  const end = rest.search(/[\s'"`*]/);
  // In a text, as programs that write such comments have it.
  if (end !== -1 && /['"`]/.test(rest[end]!)) return undefined;
  return (end === -1 ? rest : rest.slice(0, end)) || undefined;
}

function decodeDataUrl(url: string): Uint8Array | undefined {
  const comma = url.indexOf(',');
  if (comma === -1) return undefined;
  const body = url.slice(comma + 1);
  return /;base64$/i.test(url.slice(0, comma))
    ? Buffer.from(body, 'base64')
    : Buffer.from(decodeURIComponent(body));
}

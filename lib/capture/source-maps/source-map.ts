import { fileURLToPath } from 'node:url';
import { membersOf, parseRange, stringsAt } from './json-scan.js';
import { type Mappings, readMappings, type Segment, segmentAt } from './mappings.js';

/**
 * What is kept of a source map: the mappings, the names as they are in its JSON, and which files it is of; not the text of
 * sources. Goes from thread to thread without a copy of what is large.
 */
export interface SourceMap {
  sections: Section[];
  /** Of memory. */
  bytes: number;
}

interface Section {
  /** Where in the generated code it begins, 0-based. */
  line: number;
  column: number;
  mappings: Mappings;
  /** A JSON text, in shared memory. */
  names: Uint8Array;
  /** Paths, or URLs of what is no file. */
  sources: (string | null)[];
}

/** The members of a source map that are of use here. */
export interface RawSourceMap {
  mappings?: unknown;
  names?: unknown;
  sources?: unknown;
  sourceRoot?: unknown;
  sections?: unknown;
}

function share(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

function resolveSource(source: unknown, root: unknown, base: string): string | null {
  if (typeof source !== 'string' || source === '') return null;
  const relative = typeof root === 'string' && root !== '' ? `${root.replace(/\/$/, '')}/${source}` : source;
  try {
    const url = new URL(isUrl(source) ? source : relative, base);
    // In a path that was no URL, `?` and `#` are letters.
    return url.protocol === 'file:' ? fileURLToPath(url) + url.search + url.hash : url.href;
  } catch {
    return source;
  }
}

const isUrl = (text: string) => /^[a-z][a-z\d+.-]+:/i.test(text);

function toSection(
  mappings: Uint8Array,
  names: Uint8Array,
  { sources, sourceRoot }: RawSourceMap,
  base: string,
): Section {
  if (!Array.isArray(sources)) throw new TypeError('a source map without sources');
  return {
    line: 0,
    column: 0,
    mappings: readMappings(share(mappings)),
    names: share(names),
    sources: sources.map((source) => resolveSource(source, sourceRoot, base)),
  };
}

function sectionsOf(raw: RawSourceMap | null | undefined, base: string, depth = 0): Section[] {
  if (raw === null || typeof raw !== 'object' || depth > 8) throw new TypeError('no source map');
  if (Array.isArray(raw.sections)) {
    return raw.sections.flatMap(({ offset, map }) =>
      sectionsOf(map, base, depth + 1).map((section) => ({
        ...section,
        line: section.line + offset.line,
        column: section.line === 0 ? section.column + offset.column : section.column,
      })),
    );
  }
  if (typeof raw.mappings !== 'string') throw new TypeError('a source map without mappings');
  const names = Buffer.from(JSON.stringify(Array.isArray(raw.names) ? raw.names : []));
  return [toSection(Buffer.from(raw.mappings, 'latin1'), names, raw, base)];
}

function toSourceMap(sections: Section[]): SourceMap {
  const bytes = sections.reduce(
    (sum, { mappings, names }) => sum + mappings.bytes.length + mappings.notes.byteLength + names.length,
    0,
  );
  return { sections, bytes };
}

export function sourceMapOf(raw: RawSourceMap, base: string): SourceMap {
  return toSourceMap(sectionsOf(raw, base));
}

const BACKSLASH = 0x5c;

/** From the bytes of its JSON; `base` is the URL that its sources are relative to. Throws where it is no source map. */
export function parseSourceMap(text: Uint8Array, base: string): SourceMap {
  const json = withoutPrefix(text);
  const members = membersOf(json);
  if (members.has('sections')) {
    return sourceMapOf(parseRange(json, [0, json.length]) as RawSourceMap, base);
  }
  const parse = (key: string) => {
    const range = members.get(key);
    return range === undefined ? undefined : parseRange(json, range);
  };
  const [start, end] = members.get('mappings') ?? [0, 0];
  const mappings = json.subarray(start + 1, end - 1);
  if (json[start] !== 0x22) throw new TypeError('a source map without mappings');
  const [namesStart, namesEnd] = members.get('names') ?? [0, 0];
  const raw = { sources: parse('sources'), sourceRoot: parse('sourceRoot') };
  const names = json.subarray(namesStart, namesEnd);
  // No writer escapes anything in them, but one may.
  const plain = mappings.includes(BACKSLASH) ? Buffer.from(String(parse('mappings')), 'latin1') : mappings;
  return toSourceMap([toSection(plain, names, raw, base)]);
}

/** Without a byte order mark, and the line `)]}'` that keeps browsers from running it. */
function withoutPrefix(text: Uint8Array): Uint8Array {
  const from = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0;
  if (text[from] !== 0x29) return text.subarray(from);
  const lineEnd = text.indexOf(0x0a);
  return text.subarray(lineEnd + 1);
}

export interface FoundSegment extends Segment {
  section: Section;
}

/** What the map says of a place in the generated code, 0-based. */
export function lookUp({ sections }: SourceMap, line: number, column: number): FoundSegment | undefined {
  for (let i = sections.length - 1; i >= 0; i--) {
    const section = sections[i]!;
    if (section.line > line || (section.line === line && section.column > column)) continue;
    const shift = section.line === line ? section.column : 0;
    const segment = segmentAt(section.mappings, line - section.line, column - shift);
    return segment === undefined ? undefined : { ...segment, line, column: segment.column + shift, section };
  }
  return undefined;
}

/** The names of these segments, by segment. Reads each section's names once. */
export function namesOf(segments: readonly FoundSegment[]): Map<FoundSegment, string> {
  const wanted = new Map<Section, Set<number>>();
  for (const { section, name } of segments) {
    const indexes = wanted.get(section) ?? new Set();
    wanted.set(section, indexes.add(name));
  }
  const strings = new Map<Section, Map<number, string>>();
  for (const [section, indexes] of wanted) {
    strings.set(
      section,
      stringsAt(
        section.names,
        [...indexes].filter((i) => i >= 0).sort((a, b) => a - b),
      ),
    );
  }
  const names = new Map<FoundSegment, string>();
  for (const segment of segments) {
    const name = strings.get(segment.section)?.get(segment.name);
    if (name !== undefined && name !== '') names.set(segment, name);
  }
  return names;
}

/**
 * Finds values in the bytes of a JSON text without building them: of a source map only a small part is wanted, and most
 * of its size is text of sources.
 */

/** Where a value is: from its first byte to behind its last. */
export type Range = readonly [start: number, end: number];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

const isSpace = (byte: number | undefined) =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function broken(): Error {
  return new SyntaxError('this is not JSON');
}

export function skipSpace(bytes: Uint8Array, at: number): number {
  while (isSpace(bytes[at])) at++;
  return at;
}

function skipString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; ; ) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1) throw broken();
    let before = quote - 1;
    while (bytes[before] === BACKSLASH) before--;
    at = quote + 1;
    // Backslashes escape each other, two by two.
    if ((quote - before) % 2 === 1) return at;
  }
}

/** Behind the value that starts there. Values may be nested as deeply as they like. */
function skipValue(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; ) {
    switch (bytes[at]) {
      case QUOTE:
        at = skipString(bytes, at);
        if (depth === 0) return at;
        break;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        depth++;
        at++;
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        if (depth === 0) return at;
        at++;
        if (--depth === 0) return at;
        break;
      case COMMA:
        if (depth === 0) return at;
        at++;
        break;
      default:
        at++;
    }
  }
  throw broken();
}

/** The members of the object that the text is; the last one of several of a name. Throws where it is no object. */
export function membersOf(bytes: Uint8Array): Map<string, Range> {
  const members = new Map<string, Range>();
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== OPEN_OBJECT) throw broken();
  at = skipSpace(bytes, at + 1);
  while (bytes[at] !== CLOSE_OBJECT) {
    if (bytes[at] !== QUOTE) throw broken();
    const keyEnd = skipString(bytes, at);
    const key = String(parseRange(bytes, [at, keyEnd]));
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) throw broken();
    const start = skipSpace(bytes, at + 1);
    const end = skipValue(bytes, start);
    members.set(key, [start, end]);
    at = skipSpace(bytes, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
    else if (bytes[at] !== CLOSE_OBJECT) throw broken();
  }
  return members;
}

export function parseRange(bytes: Uint8Array, [start, end]: Range): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'));
}

/** These elements, in ascending order, of the array that the text is; those that are no strings are left out. */
export function stringsAt(bytes: Uint8Array, indexes: readonly number[]): Map<number, string> {
  const found = new Map<number, string>();
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== OPEN_ARRAY) return found;
  at = skipSpace(bytes, at + 1);
  for (let index = 0, next = 0; next < indexes.length && bytes[at] !== CLOSE_ARRAY; index++) {
    const end = skipValue(bytes, at);
    if (end === at) break;
    if (index === indexes[next]) {
      if (bytes[at] === QUOTE) found.set(index, parseRange(bytes, [at, end]) as string);
      next++;
    }
    at = skipSpace(bytes, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return found;
}

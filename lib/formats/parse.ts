import { completeOptions } from '../base/check-options.js';
import { invalidType } from '../base/errors.js';
import { lazily } from '../base/lazily.js';
import { LIMITS, profileError } from '../profile/limits.js';
import type { ParseOptions, ProfileData } from '../profile/model.js';
import { Lines, type Refill } from './gotext/lines.js';

const zlib = lazily(() => require('node:zlib') as typeof import('node:zlib'));
const legacy = lazily(() => require('./gotext/decode.js') as typeof import('./gotext/decode.js'));
const devtools = lazily(() => require('./devtools/decode.js') as typeof import('./devtools/decode.js'));
const folded = lazily(() => require('./read-folded.js') as typeof import('./read-folded.js'));
const others = lazily(() => require('./other-profiles.js') as typeof import('./other-profiles.js'));
const proto = lazily(() => require('./pprof/decode.js') as typeof import('./pprof/decode.js'));

/** `parseProfile`, but for when it is loaded. */
export function parseProfile(buffer: Uint8Array, options?: ParseOptions): ProfileData {
  if (!(buffer instanceof Uint8Array)) throw invalidType('buffer', 'a Buffer or Uint8Array', buffer);
  const { scaling, maxBytes } = completeOptions('parseProfile', options);
  if (buffer.length > maxBytes) throw profileError(`the profile has more than ${maxBytes} bytes`);
  const bytes = isGzip(buffer) ? unpack(buffer, maxBytes) : buffer;
  if (bytes.length === 0) throw profileError('the profile is empty');
  const firstLine = readFirstLine(bytes);
  if (firstLine !== undefined && legacy().isLegacyHeader(firstLine.latin1())) {
    return legacy().readLegacy(new Lines(bytes), scaling);
  }
  if (isText(bytes)) {
    if (devtools().isHeapProfile(startOf(bytes))) return devtools().readHeapProfile(bytes);
    const other = firstLine && others().nameOtherText(firstLine.latin1());
    if (other !== undefined) throw profileError(`this is ${other}, ${NOT_OF_THE_HEAP}`);
    if (firstLine !== undefined && folded().isFolded(firstLine.utf8())) {
      return folded().readFolded(new Lines(bytes));
    }
  }
  try {
    return proto().readProto(bytes);
  } catch (error) {
    if (isText(bytes) && firstLine !== undefined) {
      throw firstLine.error("a heap profile: 'heap profile: …', '--- symbol', 'heap_v2/…' or a proto", error);
    }
    throw others().isCpuProfile(bytes)
      ? profileError(`this is a CPU profile of gperftools, ${NOT_OF_THE_HEAP}`, error)
      : error;
  }
}

const NOT_OF_THE_HEAP = 'and memprof reads heap profiles; of others, it reads protos (go tool pprof -proto)';

/**
 * Reads a text that is fetched as it is needed; `first` is its beginning. Undefined, and nothing is fetched, for what is no
 * text of Go, gperftools, jemalloc or Java.
 */
export function parseText(
  first: Uint8Array,
  refill: Refill,
  options?: ParseOptions,
): ProfileData | undefined {
  const { scaling, maxBytes } = completeOptions('parseProfile', options);
  const firstLine = isGzip(first) ? undefined : readFirstLine(first);
  if (firstLine === undefined || !legacy().isLegacyHeader(firstLine.latin1())) return undefined;
  let size = first.length;
  const bounded = () => {
    const more = refill();
    size += more?.length ?? 0;
    if (size > maxBytes) throw profileError(`the profile has more than ${maxBytes} bytes`);
    return more;
  };
  return legacy().readLegacy(new Lines(first, bounded), scaling);
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function unpack(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return zlib().gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'ERR_BUFFER_TOO_LARGE'
      ? profileError(`the profile has more than ${maxBytes} bytes when unpacked`, error)
      : profileError(`the profile cannot be unpacked: ${message}`, error);
  }
}

/** Undefined if the first line is longer than any text's. */
function readFirstLine(bytes: Uint8Array): Lines | undefined {
  const lines = new Lines(bytes.subarray(0, LIMITS.lineBytes - 1));
  return lines.next() ? lines : undefined;
}

function startOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 256)).toString('utf8');
}

/** By its beginning. A proto begins with a newline, as a rule. */
function isText(bytes: Uint8Array): boolean {
  const start = startOf(bytes);
  // The last character may have been cut.
  return /^(?!\n)(?:[\t\r\n]|[^\p{Cc}\ufffd])+\ufffd?$/u.test(start);
}

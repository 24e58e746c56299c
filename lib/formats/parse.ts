import { completeOptions } from '../base/check-options.js';
import { invalidType } from '../base/errors.js';
import { lazily } from '../base/lazily.js';
import { LIMITS, profileError } from '../profile/limits.js';
import type { ParseOptions, ProfileData } from '../profile/model.js';
import { Lines } from './gotext/lines.js';

const zlib = lazily(() => require('node:zlib') as typeof import('node:zlib'));
const legacy = lazily(() => require('./gotext/decode.js') as typeof import('./gotext/decode.js'));
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
  try {
    return proto().readProto(bytes);
  } catch (error) {
    if (firstLine === undefined || !isText(bytes)) throw error;
    throw firstLine.error("a heap profile: 'heap profile: …', '--- symbol', 'heap_v2/…' or a proto", error);
  }
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

/** By its beginning. A proto begins with a newline, as a rule. */
function isText(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 256)).toString('utf8');
  // The last character may have been cut.
  return /^(?!\n)(?:[\t\r\n]|[^\p{Cc}\ufffd])+\ufffd?$/u.test(start);
}

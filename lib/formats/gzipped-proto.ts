import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { encodeProto } from './proto.js';

const compress = promisify<Uint8Array<ArrayBuffer>, { level: number }, Buffer>(gzip);

/** As `encodeProto`; compressed off the calling thread. */
export function gzippedProto(profile: Parameters<typeof encodeProto>[0]): Promise<Buffer> {
  return compress(encodeProto(profile), { level: constants.Z_BEST_SPEED });
}

import { native } from '../addon/native.js';
import { buffersOffComment } from '../profile/external-memory.js';
import type { ProfileName } from './pipeline.js';

/** Comments for a profile: what its figures do not show about buffers. */
export function remarksOn(name: ProfileName): string[] {
  const { buffers } = native().readStatus();
  const { inUse, counted } = native().readBufferFigures();
  if (name !== 'buffers') {
    if (buffers.sampleInterval !== 0) return [];
    return [buffersOffComment(unprofiledBuffers())];
  }
  const thinned =
    buffers.mostThinning > 1
      ? `one sample of up to ${buffers.mostThinning} was taken when there was no time for more`
      : 'no sample was left out';
  const exactly = counted ? [`memprof: Buffers take ${inUse} bytes, counted exactly`] : [];
  return [`memprof: Buffers are sampled every ${buffers.sampleInterval} bytes; ${thinned}`, ...exactly];
}

/**
 * What Buffers take, where they are not profiled. Node.js tells it of the calling thread only, which may be that of `serve()`.
 * Where there are others, V8 tells how much its objects hold outside of its heap: beside Buffers that is large strings.
 */
export function unprofiledBuffers(): { bytes: number; isExact: boolean } {
  const { arrayBuffers } = process.memoryUsage();
  if (native().readStatus().internal.isolates === 1) return { bytes: arrayBuffers, isExact: true };
  const { external, staticExternal } = native().readMemFigures(true);
  return { bytes: Math.max(arrayBuffers, external - staticExternal), isExact: false };
}

import { native } from '../addon/native.js';
import { buffersOffComment } from '../profile/external-memory.js';
import type { ProfileName } from './pipeline.js';

/** Comments for a profile: what its figures do not show about buffers. */
export function remarksOn(name: ProfileName): string[] {
  const { buffers } = native().readStatus();
  const { inUse, counted } = native().readBufferFigures();
  if (name !== 'buffers') {
    if (buffers.sampleInterval !== 0) return [];
    const { arrayBuffers } = process.memoryUsage();
    return [buffersOffComment(arrayBuffers)];
  }
  const thinned =
    buffers.mostThinning > 1
      ? `one sample of up to ${buffers.mostThinning} was taken when there was no time for more`
      : 'no sample was left out';
  const exactly = counted ? [`memprof: Buffers take ${inUse} bytes, counted exactly`] : [];
  return [`memprof: Buffers are sampled every ${buffers.sampleInterval} bytes; ${thinned}`, ...exactly];
}

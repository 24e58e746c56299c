import { formatHeapText } from '../formats/gotext/encode.js';
import type { ProfileData, ProfileFrame } from '../profile/model.js';
import type { Frame, MemProfileRecord, MemStats } from '../profile/public-types.js';
import { Failure } from './profile-file.js';

/**
 * Formats a profile as Go's text, without the memory statistics, which a profile lacks. A profile that was read from text
 * should be unscaled (`scaling: 'none'`); its figures are written unchanged. Those of a protobuf are scaled already; they
 * are written with the sample interval 1, so that readers do not scale them again.
 */
export function formatProfileText(profile: ProfileData): string {
  const columnOf = (...names: string[]) => profile.sampleTypes.findIndex(({ type }) => names.includes(type));
  const inUse = [columnOf('inuse_objects', 'objects'), columnOf('inuse_space', 'space')] as const;
  const alloc = [columnOf('alloc_objects', 'objects'), columnOf('alloc_space', 'space')] as const;
  if ([...inUse, ...alloc].includes(-1)) {
    throw new Failure(
      'only heap profiles can be written as .txt, and this is not one: it has no figures of objects and bytes in use',
    );
  }
  const frames = new FrameAddresses();
  const records = profile.samples.map(({ values, stack }): MemProfileRecord => {
    const [allocObjects, allocBytes] = [values[alloc[0]]!, values[alloc[1]]!];
    const [inUseObjects, inUseBytes] = [values[inUse[0]]!, values[inUse[1]]!];
    return {
      allocObjects,
      allocBytes,
      freeObjects: allocObjects - inUseObjects,
      freeBytes: allocBytes - inUseBytes,
      stack: () => stack.map((frame) => frames.frameOf(frame)),
      inUseObjects: () => inUseObjects,
      inUseBytes: () => inUseBytes,
    };
  });
  const text =
    profile.format === 'text' && profile.period > 1
      ? formatHeapText(records, noStats, { sampleInterval: profile.period })
      : formatHeapText(records, noStats, { sampleInterval: 1, header: 'heap_v2' });
  return text
    .slice(0, text.lastIndexOf('\n# runtime.MemStats\n'))
    .replace(/^(#\t0x[0-9a-f]+)\t+\(anonymous\)\+0x0\t+\?:0$/gm, '$1');
}

/** Text profiles identify frames by address, so each frame needs one of its own, inlined calls included. */
class FrameAddresses {
  readonly #frames = new Map<Readonly<ProfileFrame>, Frame>();
  readonly #owners = new Map<number, string>();
  readonly #addresses = new Map<string, number>();
  #next = 0x1000_0000_0000;

  frameOf(parsed: Readonly<ProfileFrame>): Frame {
    let frame = this.#frames.get(parsed);
    if (frame === undefined) {
      const { functionName, fileName, lineNumber, columnNumber = 0 } = parsed;
      frame = { functionName, fileName, lineNumber, columnNumber, address: this.#addressOf(parsed) };
      this.#frames.set(parsed, frame);
    }
    return frame;
  }

  #addressOf({ functionName, fileName, lineNumber, address }: Readonly<ProfileFrame>): number {
    const key = `${address} ${lineNumber} ${functionName.length} ${functionName}${fileName}`;
    let own = this.#addresses.get(key);
    if (own === undefined) {
      own = address;
      while (own === 0 || this.#owners.has(own)) own = this.#next++;
      this.#addresses.set(key, own);
      this.#owners.set(own, key);
    }
    return own;
  }
}

const noStats: MemStats = {
  alloc: 0,
  totalAlloc: 0,
  sys: 0,
  lookups: 0,
  mallocs: 0,
  frees: 0,
  heapAlloc: 0,
  heapSys: 0,
  heapIdle: 0,
  heapInuse: 0,
  heapReleased: 0,
  heapObjects: 0,
  stackInuse: 0,
  stackSys: 0,
  mSpanInuse: 0,
  mSpanSys: 0,
  mCacheInuse: 0,
  mCacheSys: 0,
  buckHashSys: 0,
  gcSys: 0,
  otherSys: 0,
  nextGC: 0,
  lastGC: 0,
  pauseTotalNs: 0,
  pauseNs: [],
  pauseEnd: [],
  numGC: 0,
  numForcedGC: 0,
  gcCPUFraction: 0,
  enableGC: true,
  debugGC: false,
  bySize: [],
  maxRSS: 0,
  external: 0,
  arrayBuffers: 0,
  arrayBuffersTotalAlloc: 0,
  numMinorGC: 0,
  numMajorGC: 0,
  pauseMinorTotalNs: 0,
  pauseMajorTotalNs: 0,
};

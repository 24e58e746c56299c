import { mergeProfiles } from '../profile/merge.js';
import { type Location, type MergedProfile, toProfileData } from '../profile/merged.js';
import type { ProfileData } from '../profile/model.js';

/**
 * Cuts the frames that a profile itself says to drop (allocation functions), and what they call. A frame at the root is
 * never cut, nor what it calls until a frame is reached that stays: Go's `Prune`.
 */
export function prune(profile: MergedProfile): MergedProfile {
  const drop = frameRegExp(profile.head.dropFrames);
  if (drop === undefined) return profile;
  const keep = frameRegExp(profile.head.keepFrames);
  const isDropped = (name: string) => {
    const plain = withoutArguments(name);
    return name !== '' && drop.test(plain) && !keep?.test(plain);
  };
  // All of a location is cut, or only the calls that were inlined into its outer ones.
  const cut = new Uint8Array(profile.locations.length);
  const [WHOLE, PART] = [1, 2];
  const locations = profile.locations.map((location, index): Location => {
    const { frames, hasLines } = location;
    let at = hasLines ? frames.length - 1 : -1;
    while (at >= 0 && !isDropped(frames[at]!.functionName)) at--;
    if (at === -1) return location;
    if (at === frames.length - 1) {
      cut[index] = WHOLE!;
      return location;
    }
    cut[index] = PART!;
    return { ...location, frames: frames.slice(at + 1) };
  });
  const starts = profile.starts.slice();
  for (let i = 0; i < profile.count; i++) {
    let stays = false;
    for (let at = profile.ends[i]! - 1; at >= starts[i]!; at--) {
      const how = cut[profile.stacks[at]!];
      if (how === 0) stays = true;
      else if (stays) starts[i] = how === WHOLE ? at + 1 : at;
    }
  }
  return { ...profile, locations, starts };
}

/** `prune` for a profile with samples as objects. */
export function cutDroppedFrames(profile: ProfileData): ProfileData {
  if (frameRegExp(profile.dropFrames) === undefined) return profile;
  return toProfileData(prune(mergeProfiles([profile])));
}

function frameRegExp(source: string | undefined): RegExp | undefined {
  if (source === undefined || source === '') return undefined;
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    return undefined;
  }
}

/** The name up to its first parenthesis, except those that are part of a C++ name. */
function withoutArguments(name: string): string {
  const plain = name.replace(/^\./, '');
  for (const match of plain.matchAll(/\(anonymous namespace\)|operator\(\)|\(/g)) {
    if (match[0] === '(') return plain.slice(0, match.index);
  }
  return plain;
}

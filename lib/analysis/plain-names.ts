import { functionNames } from '../profile/locations.js';
import type { Location, MergedProfile } from '../profile/merged.js';
import type { ProfileFrame } from '../profile/model.js';

/**
 * Names of C++ functions without arguments and template parameters, as Go shows them, where a profile has no other name
 * than the linker's. Mangled names (`_Z…`) stay as they are.
 */
export function withPlainNames(profile: MergedProfile): MergedProfile {
  const decided = new Map<string, string>();
  const plain = (frame: Readonly<ProfileFrame>): Readonly<ProfileFrame> => {
    const [name, systemName] = functionNames(frame);
    if (name !== '' && systemName !== name) return frame;
    let shown = decided.get(systemName);
    if (shown === undefined) {
      shown = plainName(systemName);
      decided.set(systemName, shown);
    }
    return shown === frame.functionName ? frame : { ...frame, functionName: shown, systemName };
  };
  const locations = profile.locations.map((location): Location => {
    const frames = location.hasLines ? location.frames.map(plain) : location.frames;
    return frames.every((frame, at) => frame === location.frames[at]) ? location : { ...location, frames };
  });
  return { ...profile, locations };
}

function plainName(name: string): string {
  // `.<` is in names of Java and JavaScript, `]).` in those of Go.
  const looksLikeCpp =
    !name.includes('.<') && !name.includes(']).') && (/[<>[\]]/.test(name) || name.includes('::'));
  return looksLikeCpp ? withoutPairs(withoutPairs(name, '(', ')'), '<', '>') : name;
}

/** Without what stands between the outermost of these; the rest as it is from where they do not match. */
function withoutPairs(name: string, open: string, close: string): string {
  let left = name;
  let nesting = 0;
  let first = 0;
  for (let at = 0; at < left.length; at++) {
    if (left[at] === open) {
      if (nesting++ === 0) first = at;
    } else if (left[at] === close) {
      if (--nesting < 0) return left;
      if (nesting === 0) {
        left = left.slice(0, first) + left.slice(at + 1);
        at = first - 1;
      }
    }
  }
  return left;
}

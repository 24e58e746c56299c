import type { Location, MergedProfile } from '../profile/merged.js';
import type { ProfileFrame } from '../profile/model.js';
import { type TagFilter, tagMatcher } from './tag-filter.js';

export interface Filters {
  focus?: RegExp;
  ignore?: RegExp;
  hide?: RegExp;
  show?: RegExp;
  tagfocus?: TagFilter;
  tagignore?: TagFilter;
}

type Frame = Readonly<ProfileFrame>;

/** What a profile has left after filters: its tables are those of the whole one. */
export interface FilteredProfile extends MergedProfile {
  /** Indexes of the samples that are left. */
  kept: Uint32Array;
  /** 1 at the index of each location that is left out of stacks. */
  hidden: Uint8Array;
}

/** All of a profile. */
export function unfiltered(profile: MergedProfile): FilteredProfile {
  return {
    ...profile,
    kept: Uint32Array.from({ length: profile.count }, (_, i) => i),
    hidden: new Uint8Array(profile.locations.length),
  };
}

/**
 * Keeps samples that have a frame matching `focus` and none matching `ignore`, removes the frames matching `hide`, and all
 * that do not match `show`; then keeps samples by their labels. Expressions are matched against names of functions, files
 * and binaries. Also returns which of them matched nothing. All is as in Go, where a sample without a stack never passes.
 */
export function filterSamples(
  profile: MergedProfile,
  filters: Filters,
): { profile: FilteredProfile; unmatched: (keyof Filters)[] } {
  const { focus, ignore, hide, show, tagfocus, tagignore } = filters;
  const matched = new Set<keyof Filters>();
  const { locations, stacks, starts, ends } = profile;
  const hidden = new Uint8Array(locations.length);
  const isFocused = new Uint8Array(locations.length);
  const isIgnored = new Uint8Array(locations.length);
  const left = locations.map((location, index): Location => {
    if (ignore !== undefined && matchesLocation(location, ignore)) {
      matched.add('ignore');
      isIgnored[index] = 1;
    } else if (focus === undefined || matchesLocation(location, focus)) {
      matched.add('focus');
      isFocused[index] = 1;
    }
    let { frames, hasLines } = location;
    if (hide !== undefined && matchesLocation(location, hide)) {
      matched.add('hide');
      frames = isMapped(location, hide) ? [] : frames.filter((frame) => !matchesFrame(frame, hide));
    }
    if (show !== undefined) {
      // A location without symbols has nothing to show, as Go sees it, even if its binary matches.
      if (!hasLines) frames = [];
      else if (!isMapped(location, show)) frames = frames.filter((frame) => matchesFrame(frame, show));
      if (frames.length > 0) matched.add('show');
    }
    if (frames.length === 0) hidden[index] = 1;
    hasLines &&= frames.length > 0;
    return frames === location.frames ? location : { ...location, frames, hasLines };
  });
  const passesTags = tagMatcher(profile, tagfocus, tagignore, matched);
  const kept: number[] = [];
  for (let i = 0; i < profile.count; i++) {
    let [focused, ignored, shown] = [false, false, false];
    for (let at = starts[i]!; at < ends[i]!; at++) {
      const index = stacks[at]!;
      if (isIgnored[index] === 1) ignored = true;
      if (isFocused[index] === 1) focused = true;
      if (hidden[index] === 0) shown = true;
    }
    if (focused && !ignored && shown && passesTags(i)) kept.push(i);
  }
  const names = ['focus', 'ignore', 'hide', 'show', 'tagfocus', 'tagignore'] as const;
  return {
    profile: { ...profile, locations: left, hidden, kept: Uint32Array.from(kept) },
    unmatched: names.filter((name) => filters[name] !== undefined && !matched.has(name)),
  };
}

function isMapped({ mapping }: Location, regExp: RegExp): boolean {
  return mapping !== undefined && regExp.test(mapping.fileName);
}

function matchesFrame({ functionName, fileName }: Frame, regExp: RegExp): boolean {
  return regExp.test(functionName) || regExp.test(fileName);
}

function matchesLocation(location: Location, regExp: RegExp): boolean {
  return (
    (location.hasLines && location.frames.some((frame) => matchesFrame(frame, regExp))) ||
    isMapped(location, regExp)
  );
}

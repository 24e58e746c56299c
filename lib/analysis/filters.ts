import { subtract } from '../profile/delta.js';
import type { ProfileData, ProfileFrame, Sample } from '../profile/model.js';
import { findMapping } from './graph.js';

export interface Filters {
  focus?: RegExp;
  ignore?: RegExp;
  hide?: RegExp;
}

export class ProfileMismatch extends Error {}

type Stack = readonly Readonly<ProfileFrame>[];

/**
 * A sum of profiles, samples of the same stack and labels added up, and those that cancel out left out; as
 * `go tool pprof` does before it reports anything. `base` is subtracted.
 */
export function mergeSamples(profile: ProfileData, base?: ProfileData): ProfileData {
  if (base !== undefined) checkComparable(profile, base);
  const frameIds = new Map<string, number>();
  const idsOfFrames = new Map<Readonly<ProfileFrame>, number>();
  const idOf = (frame: Readonly<ProfileFrame>) => {
    let id = idsOfFrames.get(frame);
    if (id === undefined) {
      const { functionName, fileName, lineNumber, startLine = 0, exactAddress, address } = frame;
      const key = `${exactAddress ?? address} ${lineNumber} ${startLine} ${functionName.length} ${functionName}${fileName}`;
      id = frameIds.get(key) ?? frameIds.size;
      frameIds.set(key, id);
      idsOfFrames.set(frame, id);
    }
    return id;
  };
  const keyed = (samples: readonly Sample[]) =>
    samples.map((sample) => ({ key: sample.stack.map(idOf).join() + labelKey(sample), sample }));
  return { ...profile, samples: subtract(keyed(profile.samples), keyed(base?.samples ?? [])) };
}

function labelKey({ labels, numLabels, numUnits = {} }: Sample): string {
  const sorted = (record: object) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sorted(labels), sorted(numLabels), sorted(numUnits)]);
}

/** Whether one can be subtracted from the other. */
export function checkComparable(profile: ProfileData, base: ProfileData): void {
  const describe = ({ sampleTypes }: ProfileData) =>
    sampleTypes.map(({ type, unit }) => `${type.replace(/s$/, '')}/${unit}`).join(', ');
  if (describe(profile) !== describe(base)) {
    throw new ProfileMismatch(
      `the base profile counts other things (${describe(base)}) than this one (${describe(profile)})`,
    );
  }
}

/** Cuts the frames that a profile itself says to drop (allocation functions), and what they call. */
export function cutDroppedFrames(profile: ProfileData): ProfileData {
  const drop = frameRegExp(profile.dropFrames);
  if (drop === undefined) return profile;
  const keep = frameRegExp(profile.keepFrames);
  const decided = new Map<string, boolean>();
  const isDropped = ({ functionName }: ProfileFrame) => {
    let dropped = decided.get(functionName);
    if (dropped === undefined) {
      const name = withoutArguments(functionName);
      dropped = functionName !== '' && drop.test(name) && !keep?.test(name);
      decided.set(functionName, dropped);
    }
    return dropped;
  };
  return {
    ...profile,
    samples: profile.samples.map((sample) => ({ ...sample, stack: cutStack(sample.stack, isDropped) })),
  };
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

/** Cuts the stack at the first frame, seen from the root, that is dropped and has a caller that stays. */
function cutStack(stack: Stack, isDropped: (frame: ProfileFrame) => boolean): Stack {
  let stays = false;
  for (let at = stack.length - 1; at >= 0; at--) {
    if (!isDropped(stack[at]!)) stays = true;
    else if (stays) return stack.slice(at + 1);
  }
  return stack;
}

/**
 * Keeps samples that have a frame matching `focus` and none matching `ignore`, and removes the frames matching `hide`.
 * Expressions are matched against names of functions, files and binaries. Also returns which of them matched nothing.
 */
export function filterSamples(
  profile: ProfileData,
  { focus, ignore, hide }: Filters,
): { profile: ProfileData; unmatched: (keyof Filters)[] } {
  const matched = new Set<RegExp | undefined>();
  const matcher = (regExp: RegExp | undefined) => {
    const decided = new Map<Readonly<ProfileFrame>, boolean>();
    return (frame: Readonly<ProfileFrame>) => {
      if (regExp === undefined) return false;
      let matches = decided.get(frame);
      if (matches === undefined) {
        const file = findMapping(profile, frame)?.fileName ?? '';
        const hasFunction = frame.functionName !== '' || frame.fileName !== '';
        matches =
          (hasFunction && (regExp.test(frame.functionName) || regExp.test(frame.fileName))) ||
          (file !== '' && regExp.test(file));
        decided.set(frame, matches);
        if (matches) matched.add(regExp);
      }
      return matches;
    };
  };
  const isIgnored = matcher(ignore);
  const isFocused = matcher(focus);
  const isHidden = matcher(hide);
  const samples: Sample[] = [];
  for (const sample of profile.samples) {
    // No short cuts: each expression must see every frame, so that `unmatched` is right.
    const ignored = sample.stack.filter(isIgnored).length > 0;
    const focused =
      sample.stack.filter(isFocused).length > 0 || (focus === undefined && sample.stack.length > 0);
    const stack = sample.stack.filter((frame) => !isHidden(frame));
    if (focused && !ignored && (stack.length > 0 || hide === undefined)) {
      samples.push(stack.length === sample.stack.length ? sample : { ...sample, stack });
    }
  }
  const unmatched = (['focus', 'ignore', 'hide'] as const).filter((name) => {
    const regExp = { focus, ignore, hide }[name];
    return regExp !== undefined && !matched.has(regExp);
  });
  return { profile: { ...profile, samples }, unmatched };
}

import type { ParsedFrame, ParsedProfile, ParsedSample } from '../profile/model.js';
import { findMapping } from './graph.js';

export interface Filters {
  focus?: RegExp;
  ignore?: RegExp;
  hide?: RegExp;
}

export class ProfileMismatch extends Error {}

type Stack = readonly Readonly<ParsedFrame>[];

/**
 * A sum of profiles, samples of the same stack and labels added up, and those that cancel out left out; as
 * `go tool pprof` does before it reports anything. `base` is subtracted.
 */
export function mergeSamples(profile: ParsedProfile, base?: ParsedProfile): ParsedProfile {
  if (base !== undefined) checkComparable(profile, base);
  const frameIds = new Map<string, number>();
  const idsOfFrames = new Map<Readonly<ParsedFrame>, number>();
  const idOf = (frame: Readonly<ParsedFrame>) => {
    let id = idsOfFrames.get(frame);
    if (id === undefined) {
      const { functionName, fileName, lineNumber, startLine = 0, address } = frame;
      const key = `${address} ${lineNumber} ${startLine} ${functionName.length} ${functionName}${fileName}`;
      id = frameIds.get(key) ?? frameIds.size;
      frameIds.set(key, id);
      idsOfFrames.set(frame, id);
    }
    return id;
  };
  const merged = new Map<string, ParsedSample>();
  const add = (samples: readonly ParsedSample[], sign: 1 | -1) => {
    for (const sample of samples) {
      const key = sample.stack.map(idOf).join() + labelKey(sample);
      const there = merged.get(key);
      const values = sample.values.map((value, at) => sign * value + (there?.values[at] ?? 0));
      merged.set(key, { ...(there ?? sample), values });
    }
  };
  add(profile.samples, 1);
  if (base !== undefined) add(base.samples, -1);
  const samples = [...merged.values()].filter(({ values }) => values.some((value) => value !== 0));
  return { ...profile, samples };
}

function labelKey({ labels, numLabels }: ParsedSample): string {
  const sorted = (record: object) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sorted(labels), sorted(numLabels)]);
}

/** Whether one can be subtracted from the other. */
export function checkComparable(profile: ParsedProfile, base: ParsedProfile): void {
  const describe = ({ sampleTypes }: ParsedProfile) =>
    sampleTypes.map(({ type, unit }) => `${type.replace(/s$/, '')}/${unit}`).join(', ');
  if (describe(profile) !== describe(base)) {
    throw new ProfileMismatch(
      `the base profile counts other things (${describe(base)}) than this one (${describe(profile)})`,
    );
  }
}

/** Cuts frames that a profile says are of no interest (allocation functions), and what they call. */
export function cutDroppedFrames(profile: ParsedProfile): ParsedProfile {
  const drop = frameRegExp(profile.dropFrames);
  if (drop === undefined) return profile;
  const keep = frameRegExp(profile.keepFrames);
  const decided = new Map<string, boolean>();
  const isDropped = ({ functionName }: ParsedFrame) => {
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

/** Up to the first parenthesis, but for those that are part of a C++ name. */
function withoutArguments(name: string): string {
  const plain = name.replace(/^\./, '');
  for (const match of plain.matchAll(/\(anonymous namespace\)|operator\(\)|\(/g)) {
    if (match[0] === '(') return plain.slice(0, match.index);
  }
  return plain;
}

/** From the root on: the first frame to drop below one that stays. */
function cutStack(stack: Stack, isDropped: (frame: ParsedFrame) => boolean): Stack {
  let stays = false;
  for (let at = stack.length - 1; at >= 0; at--) {
    if (!isDropped(stack[at]!)) stays = true;
    else if (stays) return stack.slice(at + 1);
  }
  return stack;
}

/**
 * Keeps samples with a frame that `focus` matches and none that `ignore` does, without the frames that `hide` matches.
 * Names of functions, files and binaries are looked at. Tells which expressions matched nothing.
 */
export function filterSamples(
  profile: ParsedProfile,
  { focus, ignore, hide }: Filters,
): { profile: ParsedProfile; unmatched: (keyof Filters)[] } {
  const matched = new Set<RegExp | undefined>();
  const matcher = (regExp: RegExp | undefined) => {
    const decided = new Map<Readonly<ParsedFrame>, boolean>();
    return (frame: Readonly<ParsedFrame>) => {
      if (regExp === undefined) return false;
      let matches = decided.get(frame);
      if (matches === undefined) {
        const file = findMapping(profile, frame.address)?.fileName ?? '';
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
  const samples: ParsedSample[] = [];
  for (const sample of profile.samples) {
    // Every frame is asked every time, so that each expression meets all there is to match.
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

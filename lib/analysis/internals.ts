// Node's loading of modules, and memprof itself, are between the frames that a reader looks for. Folding takes them out of
// the stacks; no sample is dropped, so all totals stay.
import path from 'node:path';
import type { Location, MergedProfile } from '../profile/merged.js';
import type { ProfileData, ProfileFrame } from '../profile/model.js';

type Stack = readonly Readonly<ProfileFrame>[];
type Kind = 'loading modules' | 'memprof' | undefined;

/** Files of Node.js that load modules. */
export const LOADER = /^node:internal\/(modules|main|bootstrap|process\/(pre_)?execution|source_map)(\/|$)/;
// With the source maps of its package, memprof's own frames are in `lib`.
const INSTALLED = /[\\/]node_modules[\\/]memprof[\\/](dist|lib)[\\/]/;
const root = path.join(__dirname, '..', '..');
const own = [path.join(root, 'dist') + path.sep, path.join(root, 'lib') + path.sep];

function kindOf({ fileName }: Readonly<ProfileFrame>): Kind {
  if (LOADER.test(fileName)) return 'loading modules';
  if (INSTALLED.test(fileName) || own.some((folder) => fileName.startsWith(folder))) return 'memprof';
  return undefined;
}

/** What stands for frames that allocated something themselves. */
const folded: Readonly<Record<string, Readonly<ProfileFrame>>> = Object.fromEntries(
  ['loading modules', 'memprof'].map((kind) => [
    kind,
    Object.freeze({ functionName: `(${kind})`, fileName: '', lineNumber: 0, address: 0 }),
  ]),
);

/**
 * Takes the frames of Node's module loader and of memprof out of all stacks. Where such a frame is the leaf, the innermost of
 * them become one frame, `(loading modules)` or `(memprof)`.
 */
export function foldInternals(profile: ProfileData): ProfileData {
  const kinds = new Map<Readonly<ProfileFrame>, Kind>();
  const kindFor = (frame: Readonly<ProfileFrame>) => {
    if (kinds.has(frame)) return kinds.get(frame);
    const kind = kindOf(frame);
    kinds.set(frame, kind);
    return kind;
  };
  const stacks = new Map<Stack, Stack>();
  const samples = profile.samples.map((sample) => {
    const { stack } = sample;
    let shown = stacks.get(stack);
    if (shown === undefined) {
      shown = foldStack(stack, kindFor);
      stacks.set(stack, shown);
    }
    return shown === stack ? sample : { ...sample, stack: shown };
  });
  return { ...profile, samples };
}

/** The same for a profile in tables. */
export function foldMerged(profile: MergedProfile): MergedProfile {
  const { locations, stacks, starts, ends, count } = profile;
  const kinds = locations.map(({ frames }) => {
    const kind = kindOf(frames[0]!);
    return frames.every((frame) => kindOf(frame) === kind) ? kind : undefined;
  });
  if (kinds.every((kind) => kind === undefined)) return profile;
  const isTracing = locations.map(({ frames }) => frames[0]!.fileName === TRACING);
  const stand = (kind: string): Location => {
    const frames = [folded[kind]!];
    return { address: 0, mapping: undefined, frames, hasLines: true, folded: false };
  };
  const standIns = { 'loading modules': locations.length, memprof: locations.length + 1 };
  const left: number[] = [];
  const [newStarts, newEnds] = [new Uint32Array(count), new Uint32Array(count)];
  for (let i = 0; i < count; i++) {
    const [start, end] = [starts[i]!, ends[i]!];
    newStarts[i] = left.length;
    for (let at = start; at < end; at++) {
      const location = stacks[at]!;
      const caller = at + 1 < end ? stacks[at + 1]! : undefined;
      let kind = kinds[location];
      if (kind === undefined && isTracing[location] && caller !== undefined) kind = kinds[caller];
      if (kind === undefined) left.push(location);
      else if (at === start) left.push(standIns[kind]);
    }
    newEnds[i] = left.length;
  }
  return {
    ...profile,
    locations: [...locations, stand('loading modules'), stand('memprof')],
    stacks: Uint32Array.from(left),
    starts: newStarts,
    ends: newEnds,
  };
}

const TRACING = 'node:diagnostics_channel';

function foldStack(stack: Stack, kindFor: (frame: Readonly<ProfileFrame>) => Kind): Stack {
  const isFolded = stack.map((frame) => kindFor(frame) !== undefined);
  if (!isFolded.includes(true)) return stack;
  // Tracing surrounds what the loader does.
  for (const [at, { fileName }] of stack.entries()) {
    if (fileName === TRACING && isFolded[at + 1]) isFolded[at] = true;
  }
  const kept = stack.filter((_, at) => !isFolded[at]);
  if (!isFolded[0]) return kept;
  const leaf = stack.find((frame) => kindFor(frame) !== undefined)!;
  return [folded[kindFor(leaf)!]!, ...kept];
}

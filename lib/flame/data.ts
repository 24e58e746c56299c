// The tree of calls of a profile, as the flame page gets it. browser/data.ts reads it.

import { nodeName } from '../analysis/graph.js';
import { samplingErrors } from '../analysis/sampling-error.js';
import { functionLabel } from '../profile/function-label.js';
import type { ProfileData, ProfileFrame } from '../profile/model.js';
import type { FlameData } from './browser/payload.js';

// A page must not become too large to send or to open.
const MOST_FRAMES = 120_000;
const DEEPEST = 20_000;

const NAMELESS = /^$|^\(?anonymous\)?$|^<anonymous>$/;
const ROOT = 0;
const TOO_SMALL = 1;

/** A list without duplicates. */
class Texts {
  readonly list: string[] = [];
  readonly #indices = new Map<string, number>();

  indexOf(text: string): number {
    let index = this.#indices.get(text);
    if (index === undefined) {
      index = this.list.push(text) - 1;
      this.#indices.set(text, index);
    }
    return index;
  }
}

class Functions {
  readonly names = new Texts();
  readonly files = new Texts();
  readonly flat: number[] = [];
  /** Names of nodes of reports, by which errors are known. */
  readonly reported: string[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #byFrame = new Map<Readonly<ProfileFrame>, number>();

  constructor(readonly granularity: 'places' | 'lines') {}

  add(name: string, file: string, line: number, reported = ''): number {
    const key = `${line} ${name.length} ${name}${file}`;
    let index = this.#byKey.get(key);
    if (index === undefined) {
      index = this.flat.length / 3;
      this.flat.push(this.names.indexOf(name), this.files.indexOf(file), line);
      this.reported.push(reported);
      this.#byKey.set(key, index);
    }
    return index;
  }

  of(frame: Readonly<ProfileFrame>): number {
    let index = this.#byFrame.get(frame);
    if (index === undefined) {
      const { functionName, fileName, lineNumber, startLine, address } = frame;
      const isNameless = NAMELESS.test(functionName);
      const isLine = this.granularity === 'lines' && startLine !== undefined;
      const line = isLine ? lineNumber : startLine || lineNumber;
      let name = isNameless && fileName !== '' ? functionLabel('', fileName, line, 0) : functionName;
      if (name === '') name = address === 0 ? '(unknown)' : `0x${address.toString(16)}`;
      if (isLine) name += `:${line}`;
      index = this.add(name, fileName, line, nodeName(frame, this.granularity));
      this.#byFrame.set(frame, index);
    }
    return index;
  }
}

/** Frames, callers before those whom they call. */
class CallTree {
  readonly parent: number[] = [-1];
  readonly fn: number[];
  readonly own: (Float64Array | undefined)[] = [undefined];
  readonly ownBase: (Float64Array | undefined)[] = [undefined];
  cut = 0;
  readonly #children: (Map<number, number> | undefined)[] = [undefined];

  constructor(
    readonly functions: Functions,
    readonly columns: number,
  ) {
    this.fn = [functions.add('all', '', 0)];
    functions.add('(too small)', '', 0);
  }

  addProfile({ samples }: ProfileData, which: 'own' | 'ownBase'): void {
    for (const { values, stack } of samples) {
      const first = Math.max(0, stack.length - DEEPEST);
      if (first > 0) this.cut++;
      let at = 0;
      for (let i = stack.length - 1; i >= first; i--) at = this.child(at, this.functions.of(stack[i]!));
      let sums = this[which][at];
      if (sums === undefined) {
        sums = new Float64Array(this.columns);
        this[which][at] = sums;
      }
      for (let column = 0; column < this.columns; column++) sums[column]! += values[column]!;
    }
  }

  child(at: number, fn: number): number {
    let children = this.#children[at];
    if (children === undefined) {
      children = new Map();
      this.#children[at] = children;
    }
    let child = children.get(fn);
    if (child === undefined) {
      child = this.fn.push(fn) - 1;
      this.parent.push(at);
      this.own.push(undefined);
      this.ownBase.push(undefined);
      this.#children.push(undefined);
      children.set(fn, child);
    }
    return child;
  }
}

/** For each frame the largest share of a total that it has with all it calls. */
function sharesOf(tree: CallTree): Float64Array {
  const length = tree.fn.length;
  const shares = new Float64Array(length);
  for (const which of [tree.own, tree.ownBase]) {
    for (let column = 0; column < tree.columns; column++) {
      const sums = Float64Array.from(which, (values) => Math.abs(values?.[column] ?? 0));
      for (let at = length - 1; at > 0; at--) sums[tree.parent[at]!]! += sums[at]!;
      const total = sums[0]!;
      if (total === 0) continue;
      for (let at = 0; at < length; at++) shares[at] = Math.max(shares[at]!, sums[at]! / total);
    }
  }
  return shares;
}

/** Adds frames that are too small up, one for each caller, until there are few enough. */
function prune(tree: CallTree, columns: number): { tree: CallTree; pruned: number; prunedBelow: number } {
  if (tree.fn.length <= MOST_FRAMES) return { tree, pruned: 0, prunedBelow: 0 };
  const shares = sharesOf(tree);
  const sorted = Float64Array.from(shares).sort();
  // Each caller may get one more frame, which stands for the small ones that are left out.
  const below = sorted[sorted.length - Math.floor(MOST_FRAMES / 2)]!;
  const kept = new CallTree(tree.functions, columns);
  kept.cut = tree.cut;
  const now = new Int32Array(tree.fn.length);
  let pruned = 0;
  for (let at = 0; at < tree.fn.length; at++) {
    if (at > 0) {
      const above = tree.parent[at]!;
      const isKept = shares[at]! > below && shares[above]! > below;
      if (isKept) now[at] = kept.child(now[above]!, tree.fn[at]!);
      else {
        pruned++;
        // What is below a frame that was left out goes with it.
        now[at] = shares[above]! > below || above === 0 ? kept.child(now[above]!, TOO_SMALL) : now[above]!;
      }
    }
    for (const which of ['own', 'ownBase'] as const) {
      const values = tree[which][at];
      if (values === undefined) continue;
      const sums = kept[which][now[at]!] ?? new Float64Array(columns);
      for (let column = 0; column < columns; column++) sums[column]! += values[column]!;
      kept[which][now[at]!] = sums;
    }
  }
  return { tree: kept, pruned, prunedBelow: below };
}

/** By function and column: what it allocated itself, and with its callees, once a stack; then the same of the base. */
function sumsOf(
  profiles: readonly (ProfileData | undefined)[],
  functions: Functions,
  columns: number,
): number[] {
  const size = functions.flat.length / 3;
  const sums = new Float64Array(size * columns * 4);
  for (const [which, profile] of profiles.entries()) {
    for (const { values, stack } of profile?.samples ?? []) {
      const seen = new Set<number>();
      for (const [depth, frame] of stack.entries()) {
        const fn = functions.of(frame);
        for (let column = 0; column < columns; column++) {
          const at = (fn * columns + column) * 4 + 2 * which;
          if (depth === 0) sums[at]! += values[column]!;
          if (!seen.has(fn)) sums[at + 1]! += values[column]!;
        }
        seen.add(fn);
      }
    }
  }
  return Array.from(sums, Math.round);
}

/** Rows that have a value, each as the distance from the one before, and their values. */
function sparse(rows: readonly (ArrayLike<number> | undefined)[]): [at: number[], values: number[]] {
  const at: number[] = [];
  const values: number[] = [];
  let before = 0;
  for (const [row, each] of rows.entries()) {
    if (each === undefined) continue;
    at.push(row - before);
    before = row;
    for (let column = 0; column < each.length; column++) values.push(Math.round(each[column]!));
  }
  return [at, values];
}

/**
 * Builds the tree of calls of a profile, from the root down, together with that of a base to compare it with. By `lines`,
 * each line of a function from which it calls or allocates is a frame of its own, where lines are known.
 */
export function flameData(
  profile: ProfileData,
  base?: ProfileData,
  granularity: 'places' | 'lines' = 'places',
): FlameData {
  const columns = profile.sampleTypes.length;
  const functions = new Functions(granularity);
  const whole = new CallTree(functions, columns);
  whole.addProfile(profile, 'own');
  if (base !== undefined) whole.addProfile(base, 'ownBase');
  const { tree, pruned, prunedBelow } = prune(whole, columns);
  const [ownAt, own] = sparse(tree.own);
  const [baseAt, ofBase] = sparse(tree.ownBase);
  const [errorAt, errors] = sparse(errorsOf(profile, functions));
  return {
    names: functions.names.list,
    files: functions.files.list,
    functions: functions.flat,
    callers: tree.parent.map((parent, at) => (at === ROOT ? 0 : at - parent)),
    frames: tree.fn,
    ownAt,
    own,
    baseAt,
    base: ofBase,
    errorAt,
    errors,
    sums: pruned > 0 ? sumsOf([profile, base], functions, columns) : [],
    pruned,
    prunedBelow,
    cut: tree.cut,
    deepest: DEEPEST,
  };
}

function errorsOf(
  profile: ProfileData,
  { granularity, reported }: Pick<Functions, 'granularity' | 'reported'>,
): (number[] | undefined)[] {
  const columns = profile.sampleTypes.map((_, column) =>
    samplingErrors([profile], column, { granularity, filters: {} }),
  );
  return reported.map((name) => {
    const errors = columns.map((each) => each?.get(name) ?? 0);
    return errors.some((error) => error > 0) ? errors : undefined;
  });
}

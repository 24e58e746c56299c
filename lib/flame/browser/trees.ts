// Trees of frames: top down as they were sampled, bottom up, and the callers and callees of one function.
import { baseValues, FRAMES, FUNCTIONS, ownValues, parents, payload, TYPES } from './data.js';

export interface Tree {
  /** Parents come before their children; the root is 0. */
  parent: Int32Array;
  fn: Int32Array;
  depth: Int32Array;
  /** Own values and sums, in the profile and in its base. */
  own: Float64Array;
  ownBase: Float64Array;
  now: Float64Array;
  base: Float64Array;
  /** What widths are made of: `now` or `base`. */
  weight: Float64Array;
  /** Where a frame begins, in units of `weight`. */
  left: Float64Array;
  firstChild: Int32Array;
  nextSibling: Int32Array;
  deepest: number;
  /** Frames were left out, because there would be too many. */
  cut: boolean;
}

export type WidthOf = 'now' | 'base';

interface Parts {
  parent: ArrayLike<number>;
  fn: ArrayLike<number>;
  own: Float64Array;
  ownBase: Float64Array;
  cut?: boolean;
}

/** Adds up and lays out, the largest child first. */
export function makeTree(
  { parent: parentOf, fn: functionOf, own, ownBase, cut = false }: Parts,
  width: WidthOf,
): Tree {
  const length = functionOf.length;
  const parent = Int32Array.from(parentOf);
  const fn = Int32Array.from(functionOf);
  const now = own.slice(0, length);
  const base = ownBase.slice(0, length);
  const depth = new Int32Array(length);
  for (let at = length - 1; at > 0; at--) {
    now[parent[at]!]! += now[at]!;
    base[parent[at]!]! += base[at]!;
  }
  let deepest = 0;
  for (let at = 1; at < length; at++) {
    depth[at] = depth[parent[at]!]! + 1;
    if (depth[at]! > deepest && now[at]! + base[at]! > 0) deepest = depth[at]!;
  }
  const weight = width === 'now' ? now : base;
  const order = Uint32Array.from({ length: Math.max(0, length - 1) }, (_, at) => at + 1);
  order.sort((a, b) => parent[a]! - parent[b]! || weight[b]! - weight[a]! || a - b);
  const left = new Float64Array(length);
  const firstChild = new Int32Array(length).fill(-1);
  const nextSibling = new Int32Array(length).fill(-1);
  // Parents must be placed before their children, whose order is by parent.
  let before = -1;
  for (const at of order) {
    const above = parent[at]!;
    if (before !== -1 && parent[before] === above) {
      left[at] = left[before]! + weight[before]!;
      nextSibling[before] = at;
    } else {
      left[at] = left[above]!;
      firstChild[above] = at;
    }
    before = at;
  }
  return { parent, fn, depth, own, ownBase, now, base, weight, left, firstChild, nextSibling, deepest, cut };
}

export function topDown(type: number, width: WidthOf): Tree {
  return makeTree(
    { parent: parents, fn: payload.frames, own: ownValues[type]!, ownBase: baseValues[type]! },
    width,
  );
}

/** Only the stacks with a frame of one of these functions. */
export function focused(type: number, width: WidthOf, isFound: (fn: number) => boolean): Tree {
  const keeps = new Uint8Array(FRAMES);
  for (let at = 0; at < FRAMES; at++) {
    const inFound = at > 0 && keeps[parents[at]!] === 1;
    keeps[at] = inFound || isFound(payload.frames[at]!) ? 1 : 0;
  }
  const only = (values: Float64Array) => values.map((value, at) => (keeps[at] === 1 ? value : 0));
  return makeTree(
    {
      parent: parents,
      fn: payload.frames,
      own: only(ownValues[type]!),
      ownBase: only(baseValues[type]!),
    },
    width,
  );
}

const MOST_FRAMES = 400_000;

class Growing {
  readonly parent: number[] = [-1];
  readonly fn: number[];
  readonly own: number[] = [0];
  readonly ownBase: number[] = [0];
  cut = false;
  readonly #children: Map<number, number>[] = [new Map()];

  constructor(root: number) {
    this.fn = [root];
  }

  /** The child of that function; the frame itself when there are too many. */
  child(at: number, fn: number): number {
    const known = this.#children[at]!.get(fn);
    if (known !== undefined) return known;
    if (this.fn.length >= MOST_FRAMES) {
      this.cut = true;
      return at;
    }
    const child = this.fn.length;
    this.parent.push(at);
    this.fn.push(fn);
    this.own.push(0);
    this.ownBase.push(0);
    this.#children.push(new Map());
    this.#children[at]!.set(fn, child);
    return child;
  }

  add(at: number, now: number, base: number): void {
    this.own[at]! += now;
    this.ownBase[at]! += base;
  }

  tree(width: WidthOf): Tree {
    return makeTree(
      {
        parent: this.parent,
        fn: this.fn,
        own: Float64Array.from(this.own),
        ownBase: Float64Array.from(this.ownBase),
        cut: this.cut,
      },
      width,
    );
  }
}

/** Leaves first, and their callers below them. */
export function bottomUp(from: Tree, width: WidthOf): Tree {
  const to = new Growing(from.fn[0]!);
  for (let leaf = 1; leaf < from.fn.length; leaf++) {
    const now = from.own[leaf]!;
    const base = from.ownBase[leaf]!;
    if (now === 0 && base === 0) continue;
    let at = 0;
    for (let frame = leaf; frame > 0; frame = from.parent[frame]!) at = to.child(at, from.fn[frame]!);
    to.add(at, now, base);
  }
  return to.tree(width);
}

/** The callers of a function, nearest first, and what it calls. Where it calls itself, the outermost call counts. */
export function sandwich(from: Tree, fn: number, width: WidthOf): { callers: Tree; callees: Tree } {
  const callers = new Growing(fn);
  const callees = new Growing(fn);
  const within = new Int32Array(from.fn.length).fill(-1);
  for (let at = 1; at < from.fn.length; at++) {
    const above = within[from.parent[at]!]!;
    if (above !== -1) within[at] = callees.child(above, from.fn[at]!);
    else if (from.fn[at] === fn) {
      within[at] = 0;
      let caller = 0;
      for (let frame = from.parent[at]!; frame > 0; frame = from.parent[frame]!) {
        caller = callers.child(caller, from.fn[frame]!);
      }
      callers.add(caller, from.now[at]!, from.base[at]!);
    }
    if (within[at] !== -1) callees.add(within[at]!, from.own[at]!, from.ownBase[at]!);
  }
  return { callers: callers.tree(width), callees: callees.tree(width) };
}

export interface FunctionSums {
  flat: Float64Array;
  cum: Float64Array;
  flatBase: Float64Array;
  cumBase: Float64Array;
}

/** By function: what it allocated itself, and with what it called; in recursion, the outermost call counts. */
export function sumFunctions(tree: Tree, functions: number): FunctionSums {
  const sums = {
    flat: new Float64Array(functions),
    cum: new Float64Array(functions),
    flatBase: new Float64Array(functions),
    cumBase: new Float64Array(functions),
  };
  const open = new Int32Array(functions);
  let at = tree.firstChild[0]!;
  while (at > 0) {
    const fn = tree.fn[at]!;
    sums.flat[fn]! += tree.own[at]!;
    sums.flatBase[fn]! += tree.ownBase[at]!;
    if (open[fn] === 0) {
      sums.cum[fn]! += tree.now[at]!;
      sums.cumBase[fn]! += tree.base[at]!;
    }
    if (tree.firstChild[at] !== -1) {
      open[fn]!++;
      at = tree.firstChild[at]!;
      continue;
    }
    while (at > 0 && tree.nextSibling[at] === -1) {
      at = tree.parent[at]!;
      if (at > 0) open[tree.fn[at]!]!--;
    }
    at = at > 0 ? tree.nextSibling[at]! : 0;
  }
  return sums;
}

/** The same of all frames, where the tree lacks some. */
export function exactSums(type: number): FunctionSums | undefined {
  const { sums } = payload;
  if (sums.length === 0) return undefined;
  const pick = (which: number) =>
    Float64Array.from({ length: FUNCTIONS }, (_, fn) => Math.max(0, sums[(fn * TYPES + type) * 4 + which]!));
  return { flat: pick(0), cum: pick(1), flatBase: pick(2), cumBase: pick(3) };
}

/** A number for the path to each frame, the same in every tree that has the path. */
export function pathHashes(tree: Tree, textOf: (fn: number) => string): Uint32Array {
  const texts = new Map<number, number>();
  const hashOf = (fn: number) => {
    let value = texts.get(fn);
    if (value === undefined) {
      value = 2166136261;
      for (const character of textOf(fn)) value = Math.imul(value ^ character.codePointAt(0)!, 16777619);
      texts.set(fn, value);
    }
    return value;
  };
  const hashes = new Uint32Array(tree.fn.length);
  for (let at = 1; at < tree.fn.length; at++) {
    hashes[at] = Math.imul(hashes[tree.parent[at]!]! ^ hashOf(tree.fn[at]!), 16777619) + 1;
  }
  return hashes;
}

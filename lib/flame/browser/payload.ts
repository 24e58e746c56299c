// What the flame page gets from memprof: types alone, which both sides import.

/** A tree of calls. */
export interface FlameData {
  names: string[];
  files: string[];
  /** Name, file and line of each function, one after the other. */
  functions: number[];
  /** Of each frame, how far before it its caller is (0 for the root), and its function. */
  callers: number[];
  frames: number[];
  /** Frames that allocated something themselves, each as the distance from the one before; and their values, type by type. */
  ownAt: number[];
  own: number[];
  baseAt: number[];
  base: number[];
  /** Functions and the standard errors of what they allocated themselves, likewise. */
  errorAt: number[];
  errors: number[];
  /** If frames were left out: of each function and type, self, total, and those of the base. */
  sums: number[];
  /** Frames left out because they are too small, and the share of the total that each is below. */
  pruned: number;
  prunedBelow: number;
  /** Stacks that were cut, and the number of frames that is left of them. */
  cut: number;
  deepest: number;
}

export interface Payload extends FlameData {
  types: readonly { readonly type: string; readonly unit: string }[];
  /** Index of the type to show first. */
  type: number;
  diff: boolean;
  /** The page comes from a running program, and loading it again shows that program as it is then. */
  live: boolean;
  /** The address of what holds the memory of a site, up to its parameter `site`. */
  why?: string | undefined;
  program: string;
  /** What the figures do not show. */
  remarks: string[];
}

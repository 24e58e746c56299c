/** What one column of a sample's values counts, and in what unit: `alloc_space` and `bytes`, for instance. */
export interface SampleType {
  type: string;
  unit: string;
}

/** One frame of a stack that was read. Frames are shared between samples. */
export interface ProfileFrame {
  /** '' if the profile has no symbol for the address. */
  functionName: string;
  /** The linker's name of the function, where that is another one: `_ZNSt6vectorIiE9push_backERKi`. */
  systemName?: string;
  /** '' if unknown. */
  fileName: string;
  /** 1-based, 0 if unknown. */
  lineNumber: number;
  /** 1-based; only where the profile has one. */
  columnNumber?: number;
  /** 1-based line of the start of the function; 0 if a proto does not say. Other formats have none. */
  startLine?: number;
  /** Of the call (not its return address), 0 if unknown; rounded above 2^53. Frames of inlined calls share one. */
  address: number;
  /** The address, where rounding changed it. */
  exactAddress?: bigint;
  /** What is mapped at the address, where the profile says so: one of its `mappings`. */
  mapping?: Readonly<Mapping>;
  /** The call was inlined into the next frame of the stack; in the proto, both are lines of one location. */
  inlined?: true;
  /** The proto has a function here, without a name: `functionName` is its `systemName`, or ''. */
  unnamed?: true;
  /** The proto says that several places of the program are taken for this one (`is_folded`). */
  folded?: true;
}

/** One stack of a profile that was read, with its values. */
export interface Sample {
  /** One for each of `sampleTypes`, rounded above 2^53. */
  values: number[];
  /** The values, where rounding changed one of them. */
  exactValues?: readonly bigint[];
  /** Leaf first; inlined calls are frames of their own. */
  stack: readonly Readonly<ProfileFrame>[];
  /** Texts by label key (`thread`), and numbers by label key (`bytes`: the size of one object). No prototypes. */
  labels: Readonly<Record<string, readonly string[]>>;
  numLabels: Readonly<Record<string, readonly number[]>>;
  /** The numbers of labels, where rounding changed one of the label's. */
  exactNumLabels?: Readonly<Record<string, readonly bigint[]>>;
  /** Units of the numbers, by label key; only where the profile has one. A number without a unit has ''. */
  numUnits?: Readonly<Record<string, readonly string[]>>;
}

/** A range of addresses and the file that is mapped there. */
export interface Mapping {
  start: number;
  limit: number;
  offset: number;
  /** `start`, `limit` and `offset`, where rounding changed one of them. */
  exact?: { start: bigint; limit: bigint; offset: bigint };
  fileName: string;
  buildId: string;
  /** What is known of the frames there, if a proto says: only what is missing will readers look for elsewhere. */
  known?: { functions: boolean; fileNames: boolean; lineNumbers: boolean; inlinedCalls: boolean };
}

/** A profile of any format, as `go tool pprof` understands it. Samples are in the order of the file, none merged. */
export interface ProfileData {
  format: 'proto' | 'text' | 'heapprofile' | 'folded';
  /** Of each column; for a heap profile `alloc_objects`, `alloc_space`, `inuse_objects`, `inuse_space`. */
  sampleTypes: SampleType[];
  /** The type to show if none is asked for: what the profile says, else its last one. */
  defaultSampleType: string;
  /** What a proto says about that, even if it is what readers assume, or a type that is not there. */
  statedSampleType?: string;
  /** What is counted between two samples (`space`, `bytes`), and how much of it on average. */
  periodType: SampleType;
  period: number;
  /** Nanoseconds since 1970 when the profile was written, and that it covers; rounded above 2^53. */
  timeNanos?: number;
  durationNanos?: number;
  /** `timeNanos`, `durationNanos` and `period`, where rounding changed them. */
  exactTimeNanos?: bigint;
  exactDurationNanos?: bigint;
  exactPeriod?: bigint;
  comments: string[];
  /** Regular expressions (RE2) of frames to cut, and not to cut after all, together with their callees. */
  dropFrames?: string;
  keepFrames?: string;
  /** Address of a page about profiles of this kind. */
  docUrl?: string;
  mappings: Mapping[];
  samples: Sample[];
}

/** Options of `parseProfile`. */
export interface ParseOptions {
  /**
   * How legacy texts are read; protos have their scaling behind them.
   * - `go` (default): values, addresses and what is refused are those of `go tool pprof`; a file with a symbol section
   *   (`--- symbol`), which Go does not know, is read as with `perl`.
   * - `perl`: those of the Perl readers (`google-pprof`, `jeprof`): their scaling (values have fractions, which
   *   they cut off from sums), the leaf's address as it stands; lines they do not know are skipped.
   * - `none`: as `go`, with the values as they stand in the file.
   */
  scaling?: 'go' | 'perl' | 'none';
  /** Limit on the size of the input, unpacked, in bytes, 1 … 1 GiB. Default 256 MiB. */
  maxBytes?: number;
}

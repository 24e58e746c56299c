/** What `memprof run` tells the program it runs, in the environment. */
export interface RunSettings {
  sampleInterval?: number;
  stackDepth?: number;
  maxOverhead: number;
  /** Absolute: the program may go elsewhere. */
  dir: string;
  format: RunFormat;
  /** Whether frames of built code are written as they are in its sources. */
  sourceMaps: boolean;
  /** A file that gets lines, JSON of `LogLine` each: it tells the parent. */
  log: string;
}

export const runFormats = ['pb.gz', 'txt'] as const;
export type RunFormat = (typeof runFormats)[number];

export interface WrittenProfile {
  pid: number;
  file: string;
}

/** Of each process when it begins, and of each profile that JavaScript wrote. */
export type LogLine = { pid: number } | WrittenProfile;

export const SETTINGS_VARIABLE = 'MEMPROF_RUN';

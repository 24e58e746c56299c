import type { FileSettings } from '../drop-in/write-profile.js';

/** What `memprof run` tells the program it runs, in the environment. */
export interface RunSettings extends FileSettings {
  sampleInterval?: number;
  stackDepth?: number;
  maxOverhead: number;
  /** A file that gets a line (JSON of `WrittenProfile`) for each profile written; it tells the parent. */
  log: string;
}

export interface WrittenProfile {
  pid: number;
  file: string;
}

export const SETTINGS_VARIABLE = 'MEMPROF_RUN';

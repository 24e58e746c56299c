import type { StartOptions } from '../profile/public-types.js';
import type { FileProfile, FileSettings } from './write-profile.js';

/** What `memprof run` passes to the program in the environment. */
export interface RunSettings extends FileSettings {
  /** Options of `start()` without `workers` and `heapLimitDump`. */
  start: StartOptions;
  /** The file through which the program reports to its parent: each line is a `LogLine` as JSON. */
  log: string;
}

export interface WrittenProfile {
  pid: number;
  file: string;
  profile: FileProfile;
  /** Bytes outside the heap at that moment; unknown for the dump of a full heap. */
  external?: number;
}

/** One line for each process when it starts, and one for each profile that JavaScript wrote. */
export type LogLine = { pid: number } | WrittenProfile;

export const SETTINGS_VARIABLE = 'MEMPROF_RUN';

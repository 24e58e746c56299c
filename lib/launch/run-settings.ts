import type { StartOptions } from '../profile/public-types.js';
import type { FileProfile, FileSettings } from './write-profile.js';

/** What `memprof run` tells the program it runs, in the environment. */
export interface RunSettings extends FileSettings {
  /** Options of `start()`, but `workers` and `heapLimitDump`. */
  start: StartOptions;
  /** A file that gets lines, JSON of `LogLine` each: it tells the parent. */
  log: string;
}

export interface WrittenProfile {
  pid: number;
  file: string;
  profile: FileProfile;
  /** Bytes outside the heap at that moment; not known of a dump. */
  external?: number;
}

/** Of each process when it begins, and of each profile that JavaScript wrote. */
export type LogLine = { pid: number } | WrittenProfile;

export const SETTINGS_VARIABLE = 'MEMPROF_RUN';

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
  end?: EndFigures;
  /** Of the profile of the peak: bytes of heap then, and milliseconds since 1970. */
  peak?: { heap: number; time: number };
}

/** Figures of a process when it wrote its profile, in bytes, and of its collections since it began. */
export interface EndFigures {
  heap: number;
  external: number;
  maxRss: number;
  collections: number;
  pausesNs: number;
}

export interface ProcessStart {
  pid: number;
  /** The name of its program. */
  name: string;
  /** Why it is not profiled. */
  problem?: string;
}

/** One line for each process when it starts, and one for each profile that JavaScript wrote. */
export type LogLine = ProcessStart | WrittenProfile;

export const SETTINGS_VARIABLE = 'MEMPROF_RUN';

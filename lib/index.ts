export type { ErrorCode, MemprofError } from './errors.js';
export { MemProfile, readRecords } from './mem-profile.js';
export { type ReadMemStatsOptions, readMemStats } from './mem-stats.js';
export { lookup, type Profile, type ProfileName, type WriteOptions, writeHeapProfile } from './profile.js';
export { start, stop } from './profiler.js';
export { parseProfile } from './readers/index.js';
export type {
  ParsedFrame,
  ParsedMapping,
  ParsedProfile,
  ParsedSample,
  ParseOptions,
  SampleType,
} from './readers/profile-model.js';
export { type Status, status } from './status.js';
export type { Frame, MemProfileRecord, MemStats, SizeClassStats, StartOptions } from './types.js';

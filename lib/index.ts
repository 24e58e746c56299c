// `require('memprof')` is part of every program's start, so each function loads the module behind it when it is
// first called. The functions are written out because Node.js finds the names that can be imported by reading this
// file's text.
import { lazily } from './base/lazily.js';
// Loaded at once, because it has to hear of every worker that the program makes.
import './sampler/workers.js';

const starting = lazily(() => require('./sampler/start.js') as typeof import('./sampler/start.js'));
const statuses = lazily(() => require('./sampler/status.js') as typeof import('./sampler/status.js'));
const records = lazily(() => require('./sampler/records.js') as typeof import('./sampler/records.js'));
const memStats = lazily(() => require('./sampler/mem-stats.js') as typeof import('./sampler/mem-stats.js'));
const profiles = lazily(() => require('./capture/lookup.js') as typeof import('./capture/lookup.js'));
const readers = lazily(() => require('./formats/readers.js') as typeof import('./formats/readers.js'));

export const start: typeof import('./sampler/start.js').start = (options) => starting().start(options);
export const stop: typeof import('./sampler/start.js').stop = () => starting().stop();
export const status: typeof import('./sampler/status.js').status = () => statuses().status();
export const MemProfile: typeof import('./sampler/records.js').MemProfile = (into, inuseZero) =>
  records().MemProfile(into, inuseZero);
export const readRecords: typeof import('./sampler/records.js').readRecords = (inuseZero) =>
  records().readRecords(inuseZero);
export const readMemStats: typeof import('./sampler/mem-stats.js').readMemStats = (options) =>
  memStats().readMemStats(options);
export const lookup = ((name: string) =>
  profiles().lookup(name)) as typeof import('./capture/lookup.js').lookup;
export const writeHeapProfile: typeof import('./capture/lookup.js').writeHeapProfile = (sink, options) =>
  profiles().writeHeapProfile(sink, options);
export const parseProfile: typeof import('./formats/readers.js').parseProfile = (buffer, options) =>
  readers().parseProfile(buffer, options);

export type { ErrorCode, MemprofError } from './base/errors.js';
export type { EncodeOptions, Profile, ProfileName, Sink, WriteOptions } from './capture/lookup.js';
export type {
  Mapping,
  ParseOptions,
  ProfileData,
  ProfileFrame,
  Sample,
  SampleType,
} from './profile/model.js';
export type {
  Frame,
  MemProfileRecord,
  MemStats,
  SizeClassStats,
  StartOptions,
} from './profile/public-types.js';
export type { ReadMemStatsOptions } from './sampler/mem-stats.js';
export type { Status } from './sampler/status.js';

import { native } from '../addon/native.js';
import { checkInteger } from '../base/check.js';
import { invalidType, outOfRange } from '../base/errors.js';
import { lazily } from '../base/lazily.js';
import { captureProfile, type ProfileName } from './pipeline.js';
import type { Sink } from './sink.js';

export type { ProfileName } from './pipeline.js';
export type { Sink } from './sink.js';

const options = lazily(
  () => require('../base/check-options.js') as typeof import('../base/check-options.js'),
);
const sinks = lazily(() => require('./sink.js') as typeof import('./sink.js'));

/** What `writeTo` and `encode` have in common. */
interface CommonOptions {
  /**
   * Header of the text: `heap` (default) as Go writes it, or `heap_v2`, which Go's tools read as well, and which the Perl tools
   * (`google-pprof`, `jeprof`) read without dividing by zero.
   */
  header?: 'heap' | 'heap_v2';
  /** Whether frames of built code are written as they are in its sources, where a source map is found. Default true. */
  sourceMaps?: boolean;
  /**
   * Not for the text. In a format with a single value: which one. In pprof's proto: the one that readers show first:
   * `alloc_objects`, `alloc_space`, `inuse_objects` or `inuse_space`. Default: `inuse_space` of the heap and of
   * buffers, `alloc_space` of the allocations.
   */
  sampleType?: string;
  /** Ends the wait: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
}

/** Options of `writeTo`. */
export interface WriteOptions extends CommonOptions {
  /**
   * What is written, with `debug` 0 only: pprof's proto (default), gzipped; `heapprofile` for Chrome DevTools; `folded`, a
   * line `root;…;leaf value` a stack, for flame-graph tools.
   */
  format?: 'pprof' | 'heapprofile' | 'folded';
}

/** Options of `encode`. */
export interface EncodeOptions extends CommonOptions {
  /**
   * pprof's proto (default), gzipped; `text` as Go writes it, with raw figures; `heapprofile` for Chrome DevTools;
   * `folded`, a line `root;…;leaf value` a stack, for flame-graph tools.
   */
  format?: 'pprof' | 'text' | 'heapprofile' | 'folded';
}

/** A profile by name, as Go's `pprof.Profile`. */
export interface Profile {
  readonly name: ProfileName;
  /** Number of records, those with nothing in use included. */
  count(): number;
  /**
   * Writes the profile to a stream of Node.js or of the web, which is not ended. `debug` 0: what `options.format` says,
   * with figures scaled up from what was sampled. Any other: Go's text, raw figures with a `# runtime.MemStats` trailer.
   * Rejects with the stream's error if it fails; the profiler runs on.
   *
   * pprof's proto is written off the calling thread; text and the other formats on it, which takes some milliseconds for
   * a thousand records.
   */
  writeTo(sink: Sink, debug: number, options?: WriteOptions): Promise<void>;
  /**
   * The profile as `writeTo` writes it, in memory.
   *
   * @example
   * await fs.writeFile('heap.pb.gz', await lookup('heap').encode());
   */
  encode(options?: EncodeOptions): Promise<Buffer>;
}

// Go's text has no place for it.
const NO_TEXT = '0 for lifetimes';

class NamedProfile implements Profile {
  constructor(readonly name: ProfileName) {}

  count(): number {
    if (this.name === 'peak') return native().readPeak()?.stacks.length ?? 0;
    return native().countRecords(true, this.name === 'buffers');
  }

  async writeTo(sink: Sink, debug: number, given?: WriteOptions): Promise<void> {
    const { checkSink, writeToSink } = sinks();
    checkSink(sink);
    checkInteger(debug, 'debug', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const checked = options().completeOptions('writeTo', given);
    if (debug === 0) refuse(given, ['header'], 'left out with debug 0, which writes no text');
    else refuse(given, ['format', 'sampleType'], 'left out where debug is not 0, which writes the text');
    if (this.name === 'lifetimes' && debug !== 0) throw outOfRange('debug', NO_TEXT, debug);
    const format = debug === 0 ? checked.format : 'text';
    const profile = await captureProfile(this.name, { ...checked, format });
    return writeToSink(sink, profile, checked.signal);
  }

  async encode(given?: EncodeOptions): Promise<Buffer> {
    const checked = options().completeOptions('encode', given);
    if (checked.format !== 'text') refuse(given, ['header'], "left out where format is not 'text'");
    else refuse(given, ['sampleType'], "left out where format is 'text', which has all values");
    if (this.name === 'lifetimes' && checked.format === 'text')
      throw outOfRange('options.format', "'pprof'", 'text');
    const profile = await captureProfile(this.name, checked);
    return typeof profile === 'string'
      ? Buffer.from(profile)
      : Buffer.from(profile.buffer, profile.byteOffset, profile.length);
  }
}

/** Refuses options that have no effect on what is written, so that nobody believes they have one. */
function refuse(given: object | undefined, names: readonly string[], expected: string): void {
  for (const name of names) {
    const value = (given as Readonly<Record<string, unknown>> | undefined)?.[name];
    if (value !== undefined) throw outOfRange(`options.${name}`, expected, value);
  }
}

const profiles = {
  heap: new NamedProfile('heap'),
  allocs: new NamedProfile('allocs'),
  buffers: new NamedProfile('buffers'),
  peak: new NamedProfile('peak'),
  lifetimes: new NamedProfile('lifetimes'),
};

/** See lib/index.ts. */
export function lookup(name: ProfileName): Profile;
export function lookup(name: string): Profile | undefined;
export function lookup(name: string): Profile | undefined {
  if (typeof name !== 'string') throw invalidType('name', 'a string', name);
  return Object.hasOwn(profiles, name) ? profiles[name as keyof typeof profiles] : undefined;
}

/** See lib/index.ts. */
export function writeHeapProfile(sink: Sink, options?: WriteOptions): Promise<void> {
  return profiles.heap.writeTo(sink, 0, options);
}

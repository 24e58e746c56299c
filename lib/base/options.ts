// The table of options: it declares each option of memprof once. The checks of the API (check-options.ts), the reader of
// environment variables (read-variables.ts), the command's flags with their help and completion (cli/), and the tables
// of the documentation (docs/option-tables.cjs) all come from it.
//
// One name for one thing, and one spelling of it in each place:
//   - API:       sampleInterval
//   - variable:  MEMPROF_SAMPLE_INTERVAL=64k, or MEMPROF="sample-interval=64k,…"
//   - flag:      --sample-interval=64k; a switch that is on by default is turned off by --no-source-maps
//
// One convention of units:
//   - Bytes are integers in the API. Texts (variables, flags) may have a unit of 1024: 512k, 1m, 1g.
//   - Durations are milliseconds in the API, as in Node.js, and names have no unit. Texts always have one: 20ms, 15s,
//     2m, 1h.
//   - Shares are fractions of 1: 0.005 is half a per cent.
//   - Switches are booleans in the API; variables are 1 or 0 (or on, off, yes, no, true, false).

import { fileFormats } from './choices.js';
import { type CommandName, commandOptions } from './command-options.js';
import { explainOptions } from './explain-options.js';
import { exportOptions } from './export-options.js';
import {
  address,
  amount,
  boolean,
  bytes,
  directory,
  directoryOrNull,
  duration,
  func,
  integer,
  interval,
  type Kind,
  oneOf,
  share,
  signal,
  text,
} from './option-kinds.js';
import { profileOptions } from './profile-options.js';

/** What takes an option: a function of the API, `memprof/register` (from variables), or a command. */
export type Taker =
  | 'start'
  | 'register'
  | 'handler'
  | 'serve'
  | 'labelRoutes'
  | 'writeTo'
  | 'encode'
  | 'explain'
  | 'parseProfile'
  | 'readMemStats'
  | 'memoryBreakdown'
  | 'measure'
  | 'countObjects'
  | 'assertAllocs'
  | 'push'
  | 'memprofMetrics'
  | CommandName;

export interface Option {
  /** The name in the API, in camelCase; the names of the variable and of the flag are derived from it. */
  readonly name: string;
  readonly takers: readonly Taker[];
  readonly kind: Kind;
  /** The default in the API's form. An option without one is either required, or has no effect unless given. */
  readonly default?: unknown;
  /** Defaults of single takers that differ from `default`. */
  readonly defaults?: Partial<Readonly<Record<Taker, unknown>>>;
  /** What help and documentation show instead of the default. */
  readonly shownDefault?: string;
  readonly needed?: true;
  /** One line for help and documentation. */
  readonly help: string;
  /** The help of the `--no-…` flag of a switch that is on by default. */
  readonly helpOff?: string;
  /** The name of the value in the help, if it is not that of the kind. */
  readonly placeholder?: string;
  /** The flag's short form, a letter. */
  readonly short?: string;
  /** `go tool pprof` has this flag too: `_` instead of `-`, or no separator at all, is accepted as well. */
  readonly likePprof?: true;
  /** A flag that may be given several times; its value is a list. */
  readonly isList?: true;
  /** Values that are also flags of their own: `--lines` is short for `--granularity=lines`. */
  readonly shorthand?: readonly string[];
}

const MIB = 2 ** 20;
const PROFILED = ['start', 'register', 'run', 'attach'] as const;
const DAY = 86_400_000;

const table: Option[] = [
  // Sampling, and the limits of its cost.
  {
    name: 'sampleInterval',
    takers: PROFILED,
    kind: interval(1, 2 ** 30),
    default: 512 * 1024,
    help:
      'mean bytes between two samples; with 1, every allocation is sampled. In a range, memprof takes the finest interval that ' +
      '`maxOverhead` allows if it takes the samples itself (`directSamples`), and otherwise the coarsest. If it is not given, ' +
      'samples that memprof takes itself become rarer, up to one in 2 MiB (8 MiB with `callSites`), before they cost more than `maxOverhead`',
  },
  {
    name: 'stackDepth',
    takers: PROFILED,
    kind: integer(1, 512),
    default: 64,
    help:
      'the most frames kept per stack, counted from the leaf; by default 512 where memprof takes the samples itself ' +
      '(`directSamples`); at most 128 where V8 does',
  },
  {
    name: 'maxOverhead',
    takers: PROFILED,
    kind: share(0.0001, 1),
    default: 0.005,
    placeholder: 'SHARE',
    help:
      'limit on the CPU time for taking and reading samples, as a share of wall time. If `sampleInterval` is given as one number, ' +
      'there is no limit. Where V8 takes the samples, it limits only the reading of them, without the first 100 ms',
  },
  {
    name: 'maxPause',
    takers: PROFILED,
    kind: duration(1, 1000),
    default: 20,
    help:
      'the longest pause for reading samples at a minor garbage collection. A longer reading waits for a major one, ' +
      'which may take five times as long, or until the figures are too old',
  },
  {
    name: 'maxTableBytes',
    takers: PROFILED,
    kind: bytes(MIB, 1024 * MIB),
    default: 32 * MIB,
    help: "limit on the memory of the profiler's tables, for the whole process",
  },
  {
    name: 'labelThreads',
    takers: PROFILED,
    kind: boolean,
    default: false,
    help: 'keep separate records for each thread, labelled with its id (threads that start after half of `maxTableBytes` is used share the label -1)',
  },
  {
    name: 'workers',
    takers: ['start', 'register'],
    kind: boolean,
    default: false,
    help: 'profile every new worker, whatever its flags; this wraps `worker_threads.Worker`',
  },
  {
    name: 'buffers',
    takers: PROFILED,
    kind: boolean,
    default: false,
    help: 'also profile Buffers and ArrayBuffers, in a separate profile',
  },
  {
    name: 'bufferSampleInterval',
    takers: PROFILED,
    kind: bytes(1, 2 ** 30),
    default: 512 * 1024,
    help: 'mean bytes of buffers between two samples; with 1, every buffer is sampled',
  },
  {
    name: 'directSamples',
    takers: PROFILED,
    kind: boolean,
    default: true,
    help:
      "let memprof take the samples instead of V8's sampler: at about a seventh of the cost, and none is lost; only on Linux on x64, " +
      "and only where the results proved equal to V8's",
    helpOff: "leave all samples to V8's sampler",
  },
  {
    name: 'callSites',
    takers: PROFILED,
    kind: boolean,
    default: false,
    help:
      "name the lines of calls, and inlined functions, by V8's CPU profiler; needs Node.js 22 and samples that memprof takes " +
      'itself (`directSamples`), which it switches on',
  },
  {
    name: 'heapLimitDump',
    takers: ['start'],
    kind: directoryOrNull,
    default: null,
    help: 'the directory in which to write a text profile when V8 runs out of heap',
  },
  {
    name: 'reset',
    takers: ['start'],
    kind: boolean,
    default: false,
    help: 'forget all records first; only allowed while no thread is profiled',
  },
  // When, where and how profiles are written.
  {
    name: 'dir',
    takers: ['register', 'run'],
    kind: directory,
    default: '.',
    help: 'the directory for profiles',
  },
  {
    name: 'format',
    takers: ['register', 'run'],
    kind: oneOf('FORMAT', fileFormats),
    default: 'pb.gz',
    help: "format of the files: pprof's protobuf, or text",
  },
  {
    name: 'signal',
    takers: ['register'],
    kind: signal,
    default: 'SIGUSR2',
    help:
      'the signal on which to write a profile; `none` leaves all signals alone. ' +
      'SIGTERM, SIGINT and SIGQUIT still end the program afterwards',
  },
  {
    name: 'atExit',
    takers: ['register'],
    kind: boolean,
    default: false,
    help: 'write a profile when the program exits',
  },
  {
    name: 'heapLimitDump',
    takers: ['register'],
    kind: boolean,
    default: true,
    help: 'write a text profile into the directory when V8 runs out of heap',
  },
  {
    name: 'http',
    takers: ['register'],
    kind: address,
    default: null,
    help: 'start an HTTP server, as `serve()` does, on this port or `HOST:PORT`; 0 takes a free port and prints it',
  },
  // The HTTP server.
  {
    name: 'port',
    takers: ['serve', 'attach', 'open'],
    kind: integer(0, 65_535),
    default: 6060,
    defaults: { attach: 0, open: 0 },
    help: 'the port to listen on; 0 takes a free port',
  },
  {
    name: 'host',
    takers: ['serve'],
    kind: text('HOST', { needed: true }),
    default: '127.0.0.1',
    help: 'the address to listen on; any but a loopback address needs a `token`, or `insecure`',
  },
  {
    name: 'token',
    takers: ['register', 'handler', 'serve'],
    kind: text('TOKEN', { needed: true }),
    help: 'the token that HTTP requests must carry; without one, only requests from this machine are served',
  },
  {
    name: 'insecure',
    takers: ['handler', 'serve'],
    kind: boolean,
    default: false,
    help: 'serve requests from anywhere without a token',
  },
  {
    name: 'maxConcurrent',
    takers: ['handler', 'serve'],
    kind: integer(1, 1000),
    default: 4,
    help: 'the most profiles made at the same time; further requests get status 429',
  },
  {
    name: 'maxDuration',
    takers: ['handler', 'serve'],
    kind: duration(1000, DAY),
    default: 300_000,
    help: 'the longest time that a request may ask for with `?seconds=`',
  },
  {
    name: 'route',
    takers: ['labelRoutes'],
    kind: func,
    help: 'names the route of a request; without it, the framework or the path does',
  },
  {
    name: 'sourceMaps',
    takers: ['register', 'run', 'handler', 'serve', 'writeTo', 'encode', 'push'],
    kind: boolean,
    default: true,
    help: 'where built code has a source map, show its frames as they are in the sources',
    helpOff: 'ignore source maps: show frames as they are in the built code',
  },
  ...profileOptions(),
  ...explainOptions(),
  {
    name: 'scope',
    takers: ['readMemStats'],
    kind: oneOf('SCOPE', ['process', 'isolate']),
    default: 'process',
    help: "whether figures are of the whole process, or of the calling thread's isolate",
  },
  {
    name: 'gc',
    takers: ['memoryBreakdown'],
    kind: boolean,
    default: false,
    help: 'collect garbage first, in all profiled threads, and say how much there was',
  },
  // Allocations of one function.
  {
    name: 'warmUp',
    takers: ['measure', 'countObjects'],
    kind: duration(0, 60_000),
    default: 100,
    help: 'how long to call the function before counting, so that V8 can optimise it; 0 makes one call',
  },
  {
    name: 'time',
    takers: ['measure', 'countObjects'],
    kind: duration(0, 60_000),
    default: 100,
    help: 'how long to measure garbage collections and the growth of the heap',
  },
  {
    name: 'timeout',
    takers: ['countObjects'],
    kind: duration(100, 2 ** 31 - 1),
    default: 60_000,
    help: 'the longest time that the child process may take',
  },
  {
    name: 'maxBytesPerOp',
    takers: ['assertAllocs'],
    kind: amount,
    help: 'the most bytes that a call may allocate (give this, `maxAllocsPerOp`, or both)',
  },
  {
    name: 'maxAllocsPerOp',
    takers: ['assertAllocs'],
    kind: amount,
    help: 'the most allocations that a call may make',
  },
  ...exportOptions(),
  ...commandOptions(),
];

/** All options, in the order of help and documentation. */
export const OPTIONS: readonly Option[] = table;

/**
 * Adds an option; the function that it returns removes it again. A test uses this to show that the table is the only
 * place where an option is declared.
 */
export function addOption(option: Option): () => void {
  table.push(option);
  return () => void table.splice(table.indexOf(option), 1);
}

/** The options that a function, `memprof/register` or a command takes. */
export function optionsOf(taker: Taker): Option[] {
  return table.filter(({ takers }) => takers.includes(taker));
}

export function defaultOf(option: Option, taker: Taker): unknown {
  return option.defaults !== undefined && Object.hasOwn(option.defaults, taker)
    ? option.defaults[taker]
    : option.default;
}

/** The name of an option's variable: `MEMPROF_SAMPLE_INTERVAL`. */
export function variableName({ name }: Option): string {
  return `MEMPROF_${flagName({ name }).replaceAll('-', '_').toUpperCase()}`;
}

/** The name of an option's flag: `sample-interval`. */
export function flagName({ name }: Pick<Option, 'name'>): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

// The table of options: each option of memprof once, whoever takes it. From it come the checks of the API
// (check-options.ts), what is read from the environment (read-variables.ts), the command's flags with their help and
// completion (cli/), and the tables of the documentation (docs/option-tables.cjs).
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
//   - Switches are booleans in the API; variables say 1 or 0 (on, off, yes, no, true, false).

import { fileFormats, heapSampleTypes, writeFormats } from './choices.js';
import { type CommandName, commandOptions } from './command-options.js';
import { invalidType } from './errors.js';
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
  type Kind,
  object,
  ofApi,
  oneOf,
  share,
  signal,
  text,
  texts,
} from './option-kinds.js';

/** Who takes an option: a function of the API, `memprof/register` (by variables), or a command. */
export type Taker =
  | 'start'
  | 'register'
  | 'handler'
  | 'serve'
  | 'writeTo'
  | 'parseProfile'
  | 'readMemStats'
  | 'measure'
  | 'countObjects'
  | 'assertAllocs'
  | 'push'
  | 'memprofMetrics'
  | CommandName;

export interface Option {
  /** In the API, in camelCase; the names of the variable and of the flag are made of it. */
  readonly name: string;
  readonly takers: readonly Taker[];
  readonly kind: Kind;
  /** In the API's form. An option without a default is either needed or off. */
  readonly default?: unknown;
  /** Where a taker has another default than the others. */
  readonly defaults?: Partial<Readonly<Record<Taker, unknown>>>;
  /** What the documentation says in the place of the default. */
  readonly shownDefault?: string;
  readonly needed?: true;
  /** One line, for help and documentation. */
  readonly help: string;
  /** The help of the flag that turns a switch off, where it is on by default. */
  readonly helpOff?: string;
  /** What the help calls the value, if not as its kind does. */
  readonly placeholder?: string;
  /** The flag's short form, a letter. */
  readonly short?: string;
  /** A flag that `go tool pprof` has: `_` for `-`, or neither, is accepted as well. */
  readonly likePprof?: true;
  /** Each value is a flag of its own, for short: `--lines` for `--granularity=lines`. */
  readonly shorthand?: readonly string[];
}

const MIB = 2 ** 20;
const PROFILED = ['start', 'register', 'run'] as const;
const DAY = 86_400_000;

const table: Option[] = [
  // What is sampled, and what that may cost.
  {
    name: 'sampleInterval',
    takers: PROFILED,
    kind: bytes(1, 2 ** 30),
    default: 512 * 1024,
    help: 'mean bytes between two samples; 1 samples every allocation',
  },
  {
    name: 'stackDepth',
    takers: PROFILED,
    kind: integer(1, 512),
    default: 64,
    help: 'frames kept of a stack, leaf first',
  },
  {
    name: 'maxOverhead',
    takers: PROFILED,
    kind: share(0.0001, 1),
    default: 0.005,
    defaults: { run: 0.05 },
    placeholder: 'SHARE',
    help: 'CPU time for reading samples, as a share of wall time, beyond the first 100 ms',
  },
  {
    name: 'maxPause',
    takers: PROFILED,
    kind: duration(1, 1000),
    default: 20,
    help: 'a reading of samples that would take longer waits for a major collection; five times longer, until it is overdue',
  },
  {
    name: 'maxTableBytes',
    takers: PROFILED,
    kind: bytes(MIB, 1024 * MIB),
    default: 32 * MIB,
    help: "limit on the memory of the process's tables",
  },
  {
    name: 'labelThreads',
    takers: PROFILED,
    kind: boolean,
    default: false,
    help: 'give each thread records of its own, with its id (at most 64 threads)',
  },
  {
    name: 'workers',
    takers: ['start', 'register'],
    kind: boolean,
    default: false,
    help: 'profile every worker that is created, whatever its flags, by a wrapper around `worker_threads.Worker`',
  },
  {
    name: 'buffers',
    takers: PROFILED,
    kind: boolean,
    default: false,
    help: 'profile Buffers and ArrayBuffers as well, in a profile of their own',
  },
  {
    name: 'bufferSampleInterval',
    takers: PROFILED,
    kind: bytes(1, 2 ** 30),
    default: 512 * 1024,
    help: 'mean bytes of buffers between two samples; 1 samples every buffer',
  },
  {
    name: 'heapLimitDump',
    takers: ['start'],
    kind: directoryOrNull,
    default: null,
    help: 'a directory: the profile is written there when the heap is full',
  },
  {
    name: 'reset',
    takers: ['start'],
    kind: boolean,
    default: false,
    help: 'forget all records first; only while no thread is profiled',
  },
  // What is written, when and where.
  {
    name: 'dir',
    takers: ['register', 'run'],
    kind: directory,
    default: '.',
    help: 'where profiles are written',
  },
  {
    name: 'format',
    takers: ['register', 'run'],
    kind: oneOf('FORMAT', fileFormats),
    default: 'pb.gz',
    help: "format of the files: pprof's proto, or text",
  },
  {
    name: 'signal',
    takers: ['register'],
    kind: signal,
    default: 'SIGUSR2',
    help: 'the signal that writes a profile; `none` leaves all signals alone. SIGTERM, SIGINT and SIGQUIT still end the program afterwards',
  },
  {
    name: 'atExit',
    takers: ['register'],
    kind: boolean,
    default: false,
    help: 'write a profile when the program ends',
  },
  {
    name: 'heapLimitDump',
    takers: ['register'],
    kind: boolean,
    default: true,
    help: 'leave a text profile in the directory when V8 runs out of heap',
  },
  {
    name: 'http',
    takers: ['register'],
    kind: address,
    default: null,
    help: 'port, or `HOST:PORT`, of an HTTP server like that of `serve()`; 0 takes a free port and says which',
  },
  // Pages over HTTP.
  {
    name: 'port',
    takers: ['serve'],
    kind: integer(0, 65_535),
    default: 6060,
    help: 'where to listen; 0 takes a free port',
  },
  {
    name: 'host',
    takers: ['serve'],
    kind: text('HOST', { needed: true }),
    default: '127.0.0.1',
    help: 'the address to listen on; others than loopback need a `token`, or `insecure`',
  },
  {
    name: 'token',
    takers: ['register', 'handler', 'serve'],
    kind: text('TOKEN', { needed: true }),
    help: 'what HTTP requests must carry; without one, only requests of this machine are served',
  },
  {
    name: 'insecure',
    takers: ['handler', 'serve'],
    kind: boolean,
    default: false,
    help: 'serve whoever can reach it, without a token',
  },
  {
    name: 'maxConcurrent',
    takers: ['handler', 'serve'],
    kind: integer(1, 1000),
    default: 4,
    help: 'profiles that are made at a time; more requests are answered with 429',
  },
  {
    name: 'maxDuration',
    takers: ['handler', 'serve'],
    kind: duration(1000, DAY),
    default: 300_000,
    help: 'the longest time that a profile with `?seconds=` may take',
  },
  {
    name: 'sourceMaps',
    takers: ['register', 'run', 'handler', 'serve', 'writeTo', 'push'],
    kind: boolean,
    default: true,
    help: 'show frames of built code as they are in its sources, where a source map is found',
    helpOff: 'show frames of built code as they are there, not as in its sources',
  },
  // One profile, written and read.
  {
    name: 'header',
    takers: ['writeTo'],
    kind: oneOf('HEADER', ['heap', 'heap_v2']),
    default: 'heap',
    help: 'of the text (`debug` 1): as Go writes it, or as the Perl tools (`google-pprof`, `jeprof`) need it',
  },
  {
    name: 'format',
    takers: ['writeTo'],
    kind: oneOf('FORMAT', writeFormats),
    default: 'pprof',
    help: 'with `debug` 0: a gzipped proto, a file for Chrome DevTools, or collapsed stacks for flame-graph tools',
  },
  {
    name: 'sampleType',
    takers: ['writeTo'],
    kind: oneOf('TYPE', heapSampleTypes),
    shownDefault: '`inuse_space`, `alloc_space` of `allocs`',
    help: 'with `debug` 0: the value in a format that has but one, or that pprof shows first',
  },
  {
    name: 'scaling',
    takers: ['parseProfile'],
    kind: oneOf('SCALING', ['go', 'perl', 'none']),
    default: 'go',
    help: 'how values of texts are scaled up: as `go tool pprof` does it, as the Perl tools do, or not at all',
  },
  {
    name: 'maxBytes',
    takers: ['parseProfile'],
    kind: bytes(1, 1024 * MIB),
    default: 256 * MIB,
    help: 'limit on the size of the input, unpacked',
  },
  {
    name: 'scope',
    takers: ['readMemStats'],
    kind: oneOf('SCOPE', ['process', 'isolate']),
    default: 'process',
    help: "the whole process, or the calling thread's isolate",
  },
  // Allocations of one function.
  {
    name: 'warmUp',
    takers: ['measure', 'countObjects'],
    kind: duration(0, 60_000),
    default: 100,
    help: 'calls before anything is counted, for V8 to optimise; with 0, one call',
  },
  {
    name: 'time',
    takers: ['measure', 'countObjects'],
    kind: duration(0, 60_000),
    default: 100,
    help: 'how long collections and the growth of the heap are metered',
  },
  {
    name: 'timeout',
    takers: ['countObjects'],
    kind: duration(100, 2 ** 31 - 1),
    default: 60_000,
    help: 'what the child process may take',
  },
  {
    name: 'maxBytesPerOp',
    takers: ['assertAllocs'],
    kind: amount,
    help: 'bytes that a call may allocate (this, or `maxAllocsPerOp`, or both)',
  },
  {
    name: 'maxAllocsPerOp',
    takers: ['assertAllocs'],
    kind: amount,
    help: 'allocations that a call may make',
  },
  // To other systems.
  {
    name: 'url',
    takers: ['push'],
    kind: text('URL'),
    needed: true,
    help: 'of the server, `http:` or `https:`, without user and password',
  },
  {
    name: 'name',
    takers: ['push'],
    kind: text('NAME'),
    needed: true,
    help: 'of the application: letters, digits, `_`, `.`, `-`, `/`',
  },
  {
    name: 'labels',
    takers: ['push'],
    kind: texts,
    help: 'labels of the application, such as `{ env: "prod" }`',
  },
  {
    name: 'interval',
    takers: ['push'],
    kind: duration(100, DAY),
    default: 15_000,
    help: 'time between two pushes',
  },
  {
    name: 'timeout',
    takers: ['push'],
    kind: duration(100, DAY),
    default: 10_000,
    help: 'time after which a push is given up',
  },
  { name: 'token', takers: ['push'], kind: text('TOKEN'), help: 'sent as `Authorization: Bearer …`' },
  {
    name: 'basicAuth',
    takers: ['push'],
    kind: texts,
    help: '`{ username, password }`, sent as `Authorization: Basic …`',
  },
  { name: 'headers', takers: ['push'], kind: texts, help: 'more headers, such as the name of a tenant' },
  { name: 'fetch', takers: ['push'], kind: func, help: 'in the place of the global `fetch`' },
  {
    name: 'register',
    takers: ['memprofMetrics'],
    kind: object,
    shownDefault: "prom-client's own",
    help: 'the registry',
  },
  {
    name: 'prefix',
    takers: ['memprofMetrics'],
    kind: text('PREFIX'),
    default: '',
    help: 'in front of every name',
  },
  { name: 'labels', takers: ['memprofMetrics'], kind: object, help: 'labels of every metric' },
  {
    name: 'gcPauseBuckets',
    takers: ['memprofMetrics'],
    kind: ofApi('an array of numbers', (value, name) => {
      if (!Array.isArray(value)) throw invalidType(name, 'an array of numbers', value);
    }),
    shownDefault: '0.00025 … 1',
    help: "upper bounds of the pause histogram's buckets, in seconds, rising",
  },
  {
    name: 'client',
    takers: ['memprofMetrics'],
    kind: object,
    shownDefault: "`require('prom-client')`",
    help: 'the module prom-client',
  },
  ...commandOptions(),
];

/** All of them, in the order of help and documentation. */
export const OPTIONS: readonly Option[] = table;

/**
 * Adds an option until the function that it returns is called: for the test that the table is the only place where an
 * option is declared.
 */
export function addOption(option: Option): () => void {
  table.push(option);
  return () => void table.splice(table.indexOf(option), 1);
}

/** What a function, `memprof/register` or a command takes. */
export function optionsOf(taker: Taker): Option[] {
  return table.filter(({ takers }) => takers.includes(taker));
}

export function defaultOf(option: Option, taker: Taker): unknown {
  return option.defaults !== undefined && Object.hasOwn(option.defaults, taker)
    ? option.defaults[taker]
    : option.default;
}

/** `MEMPROF_SAMPLE_INTERVAL`. */
export function variableName({ name }: Option): string {
  return `MEMPROF_${flagName({ name }).replaceAll('-', '_').toUpperCase()}`;
}

/** `sample-interval`. */
export function flagName({ name }: Pick<Option, 'name'>): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

import { performance } from 'node:perf_hooks';
import type { NativeCount } from '../addon/native.js';
import type { Figures } from './bracket.js';
import { SiteTotals } from './sites.js';
import type { Measurement, MeasureOptions, Spread } from './types.js';

/** A step of a plan. Plans are the same for sync and async functions; only how steps are carried out differs. */
export type Step =
  | { do: 'meter'; calls: number }
  | { do: 'count'; calls: number; interval: number; kept: boolean };

/** The result of a step. For async functions, `ours` is the result of as many turns of the loop without the function. */
export type Outcome =
  | { do: 'meter'; got: Figures; ours?: Figures }
  | { do: 'count'; got: NativeCount; ours?: NativeCount };

export type Plan<Result> = Generator<Step, Result, Outcome>;

const MIB = 1024 * 1024;
const MAX_CALLS = 1000;
// Small enough that most batches do not reach the end of one of V8's pages, which have 256 KiB.
const METERED_BYTES = 32 * 1024;
const COUNTED_BYTES = MIB;
/** The time of a batch, which nevertheless makes at least one call. */
const BATCH_MS = 10;
/** V8 keeps about 200 bytes per sample; a function that allocates more than this in a batch is counted without samples. */
const MOST_KEPT_BYTES = 8 * MIB;
/** How many samples to take for the sites of such a function. */
const SITE_SAMPLES = 20_000;
const MAX_BATCHES = 20;
const AGREEING_BATCHES = 5;
/** If the heap grew by more than this factor, calls allocate something rare; unused ends of pages add less. */
const RARE = 1.1;
/** Rare allocations need a long run to show: at least this many times the counted calls. */
const LONG_RUN = 10;
/** A single batch may be disturbed: when V8 finishes compiling in the background, it gives memory back. */
const LEAST_METERED = 3;
/** On a busy machine few batches fit into the time, and most may be disturbed: up to this many run until half agree. */
const MOST_METERED_TO_SETTLE = 20;
const MAX_COUNTING_MS = 2000;

interface Pace {
  bytesPerCall: number;
  msPerCall: number;
}

function* meter(calls: number): Generator<Step, { got: Figures; bytes: number; ms: number }, Outcome> {
  const begin = performance.now();
  const outcome = yield { do: 'meter', calls };
  if (outcome.do !== 'meter') throw new TypeError('a meter step was answered by something else');
  const ms = performance.now() - begin;
  return { got: outcome.got, bytes: Math.max(0, outcome.got[0]! - (outcome.ours?.[0] ?? 0)), ms };
}

function* count(calls: number, interval: number, kept: boolean): Generator<Step, CountedBatch, Outcome> {
  const outcome = yield { do: 'count', calls, interval, kept };
  if (outcome.do !== 'count') throw new TypeError('a count step was answered by something else');
  return { ...outcome, bytes: bytesOf(outcome.got) - bytesOf(outcome.ours), events: eventsOf(outcome) };
}

interface CountedBatch {
  got: NativeCount;
  ours?: NativeCount;
  bytes: number;
  events: number;
}

const bytesOf = (counted?: NativeCount) => counted?.sites.reduce((sum, site) => sum + site.bytes, 0) ?? 0;
const eventsOf = ({ got, ours }: { got: NativeCount; ours?: NativeCount }) =>
  got.events - (ours?.events ?? 0);

function callsFor(pace: Pace, bytes: number): number {
  const calls = Math.min(bytes / pace.bytesPerCall, BATCH_MS / pace.msPerCall);
  return Math.max(1, Math.min(MAX_CALLS, Math.floor(calls)));
}

/** The plan of `measure`. */
export function* measurePlan(options: Required<MeasureOptions>): Plan<Measurement> {
  const pace = yield* warmUp(options.warmUp);
  const metered = yield* meterBatches(options.time, callsFor(pace, METERED_BYTES));
  pace.bytesPerCall = metered.bytes / metered.calls;
  pace.msPerCall = metered.ms / metered.calls;
  const counted = yield* countBatches(callsFor(pace, COUNTED_BYTES), pace);
  const { calls } = counted;
  const countedCalls = calls * counted.batches.length;
  const heapBytesPerOp = metered.bytes / metered.calls;
  const { bytesPerOp, bytes, stable } = pickBytes(metered, counted);
  const events = counted.batches.map((batch) => batch.events / calls);
  return {
    bytesPerOp,
    allocsPerOp: mean(events),
    gcPerOp: metered.collections / metered.calls,
    gcNsPerOp: metered.pauseNs / metered.calls,
    heapBytesPerOp,
    stable,
    spread: { bytesPerOp: spreadOf(bytes), allocsPerOp: spreadOf(events) },
    countedCalls,
    meteredCalls: metered.calls,
    sites: counted.sites.list(counted.siteCalls),
  };
}

/** Picks the best figure of bytes per call, and the figures of the batches behind it. */
function pickBytes(
  metered: Metered,
  counted: Counted,
): { bytesPerOp: number; bytes: number[]; stable: boolean } {
  const { settled, bytesPerOp: grown } = metered;
  const heapBytesPerOp = metered.bytes / metered.calls;
  // Only a long run shows what is allocated once in many calls.
  const moreCalls = metered.calls >= LONG_RUN * counted.calls * counted.batches.length;
  const rare = settled !== undefined && moreCalls && heapBytesPerOp > settled * RARE + 1;
  if (rare) return { bytesPerOp: heapBytesPerOp, bytes: grown, stable: false };
  const { stable } = counted;
  // Except for objects near the size of a page, the growth of the heap settles to the exact figure. It is better than the
  // samples, because V8 11 reports some objects (the table of a Map) larger than they are.
  if (settled !== undefined && (stable || !counted.kept)) {
    return { bytesPerOp: settled, bytes: stable ? [settled] : grown, stable };
  }
  const bytes = counted.kept ? counted.batches.map((batch) => batch.bytes / counted.calls) : grown;
  return { bytesPerOp: mean(bytes), bytes, stable: stable && counted.kept };
}

function* warmUp(time: number): Generator<Step, Pace, Outcome> {
  let calls = 1;
  let pace: Pace;
  const begin = performance.now();
  do {
    const { bytes, ms } = yield* meter(calls);
    pace = { bytesPerCall: bytes / calls, msPerCall: ms / calls };
    calls = Math.min(calls * 2, callsFor(pace, COUNTED_BYTES));
  } while (performance.now() - begin < time);
  return pace;
}

interface Metered {
  calls: number;
  bytes: number;
  ms: number;
  collections: number;
  pauseNs: number;
  /** The figure of each batch. */
  bytesPerOp: number[];
  /** The figure on which at least half of the batches agree to the byte. */
  settled: number | undefined;
}

function* meterBatches(time: number, calls: number): Generator<Step, Metered, Outcome> {
  const result: Metered = {
    calls: 0,
    bytes: 0,
    ms: 0,
    collections: 0,
    pauseNs: 0,
    bytesPerOp: [],
    settled: undefined,
  };
  const begin = performance.now();
  do {
    const { got, bytes, ms } = yield* meter(calls);
    result.calls += calls;
    result.ms += ms;
    result.bytes += bytes;
    result.collections += got[1]! + got[2]!;
    result.pauseNs += got[3]!;
    result.bytesPerOp.push(bytes / calls);
  } while (
    performance.now() - begin < time ||
    result.bytesPerOp.length < LEAST_METERED ||
    (result.bytesPerOp.length < MOST_METERED_TO_SETTLE && settledOf(result.bytesPerOp) === undefined)
  );
  result.settled = settledOf(result.bytesPerOp);
  return result;
}

function settledOf(bytesPerOp: readonly number[]): number | undefined {
  const middle = [...bytesPerOp].sort((a, b) => a - b)[bytesPerOp.length >> 1]!;
  const agreeing = bytesPerOp.filter((each) => each === middle).length;
  return agreeing > 1 && agreeing * 2 >= bytesPerOp.length ? middle : undefined;
}

interface Counted {
  calls: number;
  batches: CountedBatch[];
  stable: boolean;
  kept: boolean;
  sites: SiteTotals;
  siteCalls: number;
}

/** Counts batches until enough in a row agree, or until the limit of batches or time. */
function* countBatches(calls: number, pace: Pace): Generator<Step, Counted, Outcome> {
  const kept = calls * pace.bytesPerCall <= MOST_KEPT_BYTES;
  let batches: CountedBatch[] = [];
  let stable = false;
  const begin = performance.now();
  while (!stable && batches.length < MAX_BATCHES) {
    if (batches.length >= 2 && performance.now() - begin > MAX_COUNTING_MS) break;
    batches.push(yield* count(calls, 1, kept));
    const last = batches.slice(-AGREEING_BATCHES);
    stable = last.length === AGREEING_BATCHES && last.every((each) => agree(each, last[0]!, kept));
    if (stable) batches = last;
  }
  const sites = new SiteTotals();
  if (kept) {
    for (const { got, ours } of batches) {
      sites.add(got);
      if (ours !== undefined) sites.add(ours, -1);
    }
    return { calls, batches, stable, kept, sites, siteCalls: calls * batches.length };
  }
  const interval = Math.ceil((calls * pace.bytesPerCall) / SITE_SAMPLES);
  const { got, ours } = yield* count(calls, interval, true);
  sites.add(got);
  if (ours !== undefined) sites.add(ours, -1);
  return { calls, batches, stable, kept, sites, siteCalls: calls };
}

function agree(a: CountedBatch, b: CountedBatch, kept: boolean): boolean {
  return a.events === b.events && (!kept || a.bytes === b.bytes);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Does not use `Math.min(...values)`: after a second of short batches there are too many values for the stack. */
function spreadOf(values: readonly number[]): Spread {
  const spread = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  for (const value of values) {
    spread.min = Math.min(spread.min, value);
    spread.max = Math.max(spread.max, value);
  }
  return spread;
}

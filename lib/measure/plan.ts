import { performance } from 'node:perf_hooks';
import type { NativeCount } from '../addon/native.js';
import type { Figures } from './bracket.js';
import { SiteTotals } from './sites.js';
import type { Measurement, MeasureOptions, Spread } from './types.js';

/** What a plan asks for: the same for sync and async functions, which differ in how it is done. */
export type Step =
  | { do: 'meter'; calls: number }
  | { do: 'count'; calls: number; interval: number; kept: boolean };

/** What came of it; `ours`, of as many turns of the loop without the function, is there for async ones. */
export type Outcome =
  | { do: 'meter'; got: Figures; ours?: Figures }
  | { do: 'count'; got: NativeCount; ours?: NativeCount };

export type Plan<Result> = Generator<Step, Result, Outcome>;

const MIB = 1024 * 1024;
const MAX_CALLS = 1000;
// So little that most batches do not reach the end of one of V8's pages, of 256 KiB.
const METERED_BYTES = 32 * 1024;
const COUNTED_BYTES = MIB;
/** A batch takes at least one call, however long that is. */
const BATCH_MS = 10;
/** V8 keeps some 200 bytes a sample; what allocates more than this in a batch is counted without. */
const MOST_KEPT_BYTES = 8 * MIB;
const SITE_SAMPLES = 20_000;
const MAX_BATCHES = 20;
const AGREEING_BATCHES = 5;
/** Ends of pages add less to the growth of the heap. */
const RARE = 1.1;
/** One alone may have been disturbed: what V8 compiles in the background gives back memory when it is done. */
const LEAST_METERED = 3;
/** On a busy machine a time holds few batches, and most of them may be disturbed: so many are tried until half agree. */
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

/** The best figure there is, and those of the batches behind it. */
function pickBytes(
  metered: Metered,
  counted: Counted,
): { bytesPerOp: number; bytes: number[]; stable: boolean } {
  const { settled, bytesPerOp: grown } = metered;
  const heapBytesPerOp = metered.bytes / metered.calls;
  // Of what allocates once in many calls only the long run tells.
  const moreCalls = metered.calls >= 10 * counted.calls * counted.batches.length;
  const rare = settled !== undefined && moreCalls && heapBytesPerOp > settled * RARE + 1;
  if (rare) return { bytesPerOp: heapBytesPerOp, bytes: grown, stable: false };
  const { stable } = counted;
  // The growth of the heap settles to the exact figure, but for objects near the size of a page. V8 11's samples of
  // some objects (the table of a Map) are larger than what it took.
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
  /** Of each batch. */
  bytesPerOp: number[];
  /** What at least half of the batches agree on to the byte. */
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

/** Until enough batches in a row agree, or there were enough of them. */
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

/** Of any number of values: as arguments of one call they would not fit on the stack after a second of short batches. */
function spreadOf(values: readonly number[]): Spread {
  const spread = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  for (const value of values) {
    spread.min = Math.min(spread.min, value);
    spread.max = Math.max(spread.max, value);
  }
  return spread;
}

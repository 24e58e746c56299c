import { AssertionError } from 'node:assert';
import path from 'node:path';
import { givenOptions } from '../base/check-options.js';
import { invalidType, type MemprofError, markAsOwn } from '../base/errors.js';
import { withoutPlace } from '../profile/function-label.js';
import { checkMeasureOptions } from './measure.js';
import { measurePlan, type Plan } from './plan.js';
import { runPlan } from './run-plan.js';
import type { AllocationSite, Awaitable, Measurement, MeasureOptions } from './types.js';

/** Limits, of which at least one must be given. Fractions of a byte or an allocation pass: they come from rare events. */
export interface AllocLimits {
  maxBytesPerOp?: number;
  maxAllocsPerOp?: number;
}

const SITES_SHOWN = 5;
/** V8 may compile at any time, which allocates, so a function fails only if it exceeds the limits every time. */
const TRIES = 3;

/** What `assertAllocs` throws: an `assert.AssertionError` with a code of memprof's. */
export interface AllocsAssertionError extends MemprofError {
  code: 'ERR_MEMPROF_ALLOCS';
  actual: { bytesPerOp: number; allocsPerOp: number };
  expected: AllocLimits;
  /** The measurement of the try that allocated least. */
  measurement: Measurement;
}

function assertionError(measurement: Measurement, limits: AllocLimits): AllocsAssertionError {
  const error = new AssertionError({
    message: describe(measurement, limits),
    actual: { bytesPerOp: measurement.bytesPerOp, allocsPerOp: measurement.allocsPerOp },
    expected: limits,
    operator: 'assertAllocs',
  });
  markAsOwn(error);
  return Object.assign(error as object, { code: 'ERR_MEMPROF_ALLOCS', measurement }) as AllocsAssertionError;
}

/**
 * Asserts that a call of the function allocates no more than the limits allow. If it does, throws an
 * `AllocsAssertionError` (`ERR_MEMPROF_ALLOCS`), an `assert.AssertionError` whose message names the functions that
 * allocate most. Otherwise returns the measurement. For an async function it returns a promise.
 *
 * The figures are those of `measure`, rounded down. A function over the limit is measured up to three times, and the
 * lowest result counts. Also throws the errors of `measure`.
 */
export function assertAllocs<Returned>(
  limits: AllocLimits,
  fn: () => Returned,
  options?: MeasureOptions,
): Awaitable<Returned, Measurement> {
  const { maxBytesPerOp, maxAllocsPerOp } = givenOptions('assertAllocs', limits, 'limits');
  if (maxBytesPerOp === undefined && maxAllocsPerOp === undefined) {
    throw invalidType('limits', 'an object with maxBytesPerOp, or maxAllocsPerOp, or both', limits);
  }
  return runPlan(fn, assertPlan(limits, checkMeasureOptions(options)));
}

function* assertPlan(limits: AllocLimits, options: Required<MeasureOptions>): Plan<Measurement> {
  let least: Measurement | undefined;
  for (let i = 0; i < TRIES; i++) {
    const measured = yield* measurePlan(options);
    if (keepsTo(limits, measured)) return measured;
    if (least === undefined || measured.bytesPerOp < least.bytesPerOp) least = measured;
  }
  throw assertionError(least!, limits);
}

function keepsTo(limits: AllocLimits, measured: Measurement): boolean {
  const { maxBytesPerOp = Number.POSITIVE_INFINITY, maxAllocsPerOp = Number.POSITIVE_INFINITY } = limits;
  return (
    Math.floor(measured.bytesPerOp) <= maxBytesPerOp && Math.floor(measured.allocsPerOp) <= maxAllocsPerOp
  );
}

function describe(measured: Measurement, limits: AllocLimits): string {
  const lines = [
    figureLine('bytes', measured.bytesPerOp, limits.maxBytesPerOp),
    figureLine('allocations', measured.allocsPerOp, limits.maxAllocsPerOp),
    '',
    '   share  bytes/op  allocs/op  function (its first line)',
    ...measured.sites.slice(0, SITES_SHOWN).map(siteLine),
  ];
  const more = measured.sites.length - SITES_SHOWN;
  if (more > 0) lines.push(`and ${more} ${more === 1 ? 'function' : 'functions'} more`);
  return lines.join('\n');
}

function figureLine(what: string, value: number, limit: number | undefined): string {
  const line = `${what} per op: ${short(value)}`;
  if (limit === undefined) return line;
  return `${line}, ${Math.floor(value) > limit ? 'over' : 'within'} the limit of ${limit}`;
}

function siteLine(site: AllocationSite): string {
  const share = `${(site.share * 100).toFixed(1)}%`.padStart(8);
  const figures = `${short(site.bytesPerOp).padStart(8)}  ${short(site.allocsPerOp).padStart(9)}`;
  return `${share}  ${figures}  ${place(site)}`;
}

/** Names a site. If it is a builtin or a function of Node.js, also names the function of the program that called it. */
function place(site: AllocationSite): string {
  const at = (frame: { functionName: string; fileName: string; lineNumber: number }) =>
    frame.fileName === ''
      ? frame.functionName
      : `${withoutPlace(frame.functionName)} (${path.relative('', frame.fileName) || frame.fileName}:${frame.lineNumber})`;
  if (isProgram(site.fileName)) return at(site);
  const caller = site.stack.find((frame) => isProgram(frame.fileName));
  return caller === undefined ? at(site) : `${at(site)} < ${at(caller)}`;
}

function isProgram(fileName: string): boolean {
  return fileName !== '' && !fileName.startsWith('node:');
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

export type { ErrorCode, MemprofError } from '../errors.js';
export { allocsPerRun } from './allocs-per-run.js';
export { type AllocLimits, AllocsAssertionError, assertAllocs } from './assert-allocs.js';
export { type CountObjectsOptions, countObjects, type ObjectCount } from './count-objects.js';
export { measure } from './measure.js';
export { type MitataModule, withMitata } from './mitata.js';
export { type TinybenchBench, type TinybenchTask, withTinybench } from './tinybench.js';
export type { AllocationSite, Awaitable, Measurement, MeasureOptions, Spread } from './types.js';

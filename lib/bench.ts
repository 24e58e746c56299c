export { type ErrorCode, MemprofError, MemprofRangeError, MemprofTypeError } from './base/errors.js';
export { allocsPerRun } from './measure/allocs-per-run.js';
export { type AllocLimits, AllocsAssertionError, assertAllocs } from './measure/assert-allocs.js';
export { type CountObjectsOptions, countObjects, type ObjectCount } from './measure/count-objects.js';
export { measure } from './measure/measure.js';
export { type MitataModule, withMitata } from './measure/mitata.js';
export { type TinybenchBench, type TinybenchTask, withTinybench } from './measure/tinybench.js';
export type { AllocationSite, Awaitable, Measurement, MeasureOptions, Spread } from './measure/types.js';

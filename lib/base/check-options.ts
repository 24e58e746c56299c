import { invalidType, unknownOption } from './errors.js';
import { didYouMean, nearest } from './nearest.js';
import { defaultOf, type Option, optionsOf, type Taker } from './options.js';

/** An error message lists a function's options only if there are no more than this. */
const MOST_LISTED = 13;

/**
 * Checks the options passed to a function of the API. The result lacks options that were left out or `undefined`;
 * with `complete` it has their defaults instead.
 *
 * Throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, and `ERR_MEMPROF_UNKNOWN_OPTION` for an option that
 * the function does not take.
 */
function check(taker: Taker, given: unknown, name: string, complete: boolean): Record<string, unknown> {
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    throw invalidType(name, 'an object', given);
  }
  const options = optionsOf(taker);
  const values = (given ?? {}) as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(values)) refuseUnknown(taker, options, key, name);
  const checked: Record<string, unknown> = {};
  for (const option of options) {
    const value = values[option.name];
    if (value !== undefined || option.needed) option.kind.check(value, `${name}.${option.name}`);
    const result = value === undefined && complete ? defaultOf(option, taker) : value;
    if (result !== undefined) checked[option.name] = result;
  }
  return checked;
}

/** Checks options and returns those that were given. */
export function givenOptions<T extends object>(taker: Taker, given: T | undefined, name = 'options'): T {
  return check(taker, given, name, false) as T;
}

/** Checks options and returns all of them, with defaults for those that were left out. */
export function completeOptions<T extends object, Complete = Required<T>>(
  taker: Taker,
  given: T | undefined,
  name = 'options',
): Complete {
  return check(taker, given, name, true) as Complete;
}

function refuseUnknown(taker: Taker, options: readonly Option[], key: string, name: string): void {
  if (options.some((option) => option.name === key)) return;
  const names = options.map((option) => option.name);
  const near = nearest(key, names);
  const hint =
    near === undefined && names.length <= MOST_LISTED
      ? `: ${taker} takes ${names.join(', ')}`
      : didYouMean(near);
  throw unknownOption(`${name}.${key}`, hint);
}

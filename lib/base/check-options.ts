import { invalidType, unknownOption } from './errors.js';
import { didYouMean, nearest } from './nearest.js';
import { defaultOf, type Option, optionsOf, type Taker } from './options.js';

/** Lists longer than this are no help in a message. */
const MOST_LISTED = 12;

/**
 * The options that were given to a function of the API; `undefined` stands for none. What is left out, or `undefined`,
 * is not there in the result, unless `complete` puts the default in its place.
 *
 * Throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, and `ERR_MEMPROF_UNKNOWN_OPTION` for one that the
 * function does not take.
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

/** Checks options, and gives those that were given. */
export function givenOptions<T extends object>(taker: Taker, given: T | undefined, name = 'options'): T {
  return check(taker, given, name, false) as T;
}

/** Checks options, and gives all of them: what is left out is as by default. */
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

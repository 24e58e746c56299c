import { invalidType, outOfRange } from './errors.js';

export function checkInteger(
  value: unknown,
  name: string,
  low: number,
  high: number,
): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw outOfRange(name, `an integer from ${low} to ${high}`, value);
  }
}

export function checkNumber(
  value: unknown,
  name: string,
  low: number,
  high: number,
): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (!(value >= low && value <= high)) throw outOfRange(name, `a number from ${low} to ${high}`, value);
}

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'true or false', value);
}

/** Accepts a path, or null for "no path". */
export function checkPathOrNull(value: unknown, name: string): asserts value is string | null {
  if (value === null) return;
  if (typeof value !== 'string') throw invalidType(name, 'a path or null', value);
  if (value === '' || value.includes('\0')) throw outOfRange(name, 'a path', value);
}

export function checkOneOf<T extends string>(
  value: unknown,
  name: string,
  allowed: readonly T[],
): asserts value is T {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value);
  if (!(allowed as readonly string[]).includes(value)) {
    throw outOfRange(name, allowed.map((each) => `'${each}'`).join(' or '), value);
  }
}

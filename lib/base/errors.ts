/** Every error memprof throws or rejects with has one of these as its `code`. */
export type ErrorCode =
  | 'ERR_MEMPROF_ABI'
  | 'ERR_MEMPROF_ALLOCS'
  | 'ERR_MEMPROF_BENCH_CHILD'
  | 'ERR_MEMPROF_BENCH_NESTED'
  | 'ERR_MEMPROF_BUSY'
  | 'ERR_MEMPROF_COSTLY'
  | 'ERR_MEMPROF_DIRECTORY'
  | 'ERR_MEMPROF_INSECURE'
  | 'ERR_MEMPROF_INTERVAL'
  | 'ERR_MEMPROF_INVALID_ARG_TYPE'
  | 'ERR_MEMPROF_NO_BINARY'
  | 'ERR_MEMPROF_NO_MEMORY'
  | 'ERR_MEMPROF_NO_OBJECTS'
  | 'ERR_MEMPROF_NO_PROM_CLIENT'
  | 'ERR_MEMPROF_NO_THREAD'
  | 'ERR_MEMPROF_OUT_OF_RANGE'
  | 'ERR_MEMPROF_PROFILE'
  | 'ERR_MEMPROF_SAMPLER_BUSY'
  | 'ERR_MEMPROF_SERVER'
  | 'ERR_MEMPROF_STILL_RUNNING'
  | 'ERR_MEMPROF_UNKNOWN_OPTION';

// biome-ignore lint/complexity/noBannedTypes: as `Error.captureStackTrace` takes it
type Helper = Function;

const BRAND = Symbol.for('memprof.error');

/** What `instanceof MemprofError` goes by, so that it holds of the `TypeError`s and `RangeError`s, too. */
interface Branded {
  [BRAND]?: true;
}

/** An error of memprof; `code` says which, and docs/errors.md explains each. */
export class MemprofError extends Error {
  code: ErrorCode;

  /** @internal */
  constructor(code: ErrorCode, message: string, helper: Helper, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    finish(this, helper);
  }

  /** True of every error that memprof throws or rejects with, also of another copy of it. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && (value as Branded)[BRAND] === true;
  }
}

/** A value of the wrong type, or an option that is unknown: a `TypeError` and a `MemprofError`. */
export class MemprofTypeError extends TypeError {
  code: ErrorCode;

  /** @internal */
  constructor(code: ErrorCode, message: string, helper: Helper) {
    super(message);
    this.code = code;
    finish(this, helper);
  }
}

/** A value out of its range: a `RangeError` and a `MemprofError`. */
export class MemprofRangeError extends RangeError {
  code: ErrorCode;

  /** @internal */
  constructor(code: ErrorCode, message: string, helper: Helper) {
    super(message);
    this.code = code;
    finish(this, helper);
  }
}

Object.defineProperty(MemprofError.prototype, 'name', {
  value: 'MemprofError',
  writable: true,
  configurable: true,
});

for (const { prototype } of [MemprofError, MemprofTypeError, MemprofRangeError]) markAsOwn(prototype);

/** Makes `instanceof MemprofError` true of it, and of what inherits from it. */
export function markAsOwn(error: object): void {
  Object.defineProperty(error, BRAND, { value: true });
}

/**
 * As Node.js does with its own errors, the code stands in the first line of the stack, but not in the name. V8 writes
 * that line when the stack is first read.
 */
function finish(error: Error & { code: ErrorCode }, helper: Helper): void {
  const { name } = error;
  Object.defineProperty(error, 'name', {
    value: `${name} [${error.code}]`,
    writable: true,
    configurable: true,
  });
  Error.captureStackTrace(error, helper);
  try {
    void error.stack;
  } catch {} // A program's own `Error.prepareStackTrace` may throw.
  Reflect.deleteProperty(error, 'name');
}

/** The stacks of errors made by these functions begin with their callers. */
export function memprofError(code: ErrorCode, message: string, cause?: unknown): MemprofError {
  return new MemprofError(code, message, memprofError, cause === undefined ? undefined : { cause });
}

/** A value as an error message shows it: short, on one line. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

export function invalidType(name: string, expected: string, value: unknown): MemprofTypeError {
  const message = `${name} must be ${expected}, but is ${shown(value)}`;
  return new MemprofTypeError('ERR_MEMPROF_INVALID_ARG_TYPE', message, invalidType);
}

export function outOfRange(name: string, expected: string, value: unknown): MemprofRangeError {
  const message = `${name} must be ${expected}, but is ${shown(value)}`;
  return new MemprofRangeError('ERR_MEMPROF_OUT_OF_RANGE', message, outOfRange);
}

/** `hint` ends the message: what was meant perhaps, or what there is. */
export function unknownOption(name: string, hint: string): MemprofTypeError {
  return new MemprofTypeError('ERR_MEMPROF_UNKNOWN_OPTION', `${name} is unknown${hint}`, unknownOption);
}

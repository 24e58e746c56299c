/** Every error memprof throws or rejects with has one of these as its `code`. */
export type ErrorCode =
  | 'ERR_MEMPROF_ABI'
  | 'ERR_MEMPROF_ALLOCS'
  | 'ERR_MEMPROF_BENCH_CHILD'
  | 'ERR_MEMPROF_BENCH_NESTED'
  | 'ERR_MEMPROF_DIRECTORY'
  | 'ERR_MEMPROF_INSECURE'
  | 'ERR_MEMPROF_INTERVAL'
  | 'ERR_MEMPROF_INVALID_ARG_TYPE'
  | 'ERR_MEMPROF_NO_BINARY'
  | 'ERR_MEMPROF_NO_MEMORY'
  | 'ERR_MEMPROF_NO_PROM_CLIENT'
  | 'ERR_MEMPROF_OUT_OF_RANGE'
  | 'ERR_MEMPROF_PROFILE'
  | 'ERR_MEMPROF_SAMPLER_BUSY'
  | 'ERR_MEMPROF_SERVER'
  | 'ERR_MEMPROF_STILL_RUNNING'
  | 'ERR_MEMPROF_UNKNOWN_OPTION';

/** What memprof throws and rejects with. */
export interface MemprofError extends Error {
  code: ErrorCode;
}

function coded<E extends Error>(error: E, code: ErrorCode): E & MemprofError {
  return Object.assign(error, { code });
}

export function memprofError(code: ErrorCode, message: string, cause?: unknown): MemprofError {
  return coded(new Error(message, cause === undefined ? undefined : { cause }), code);
}

/** A value as an error message shows it: short, on one line. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

export function invalidType(name: string, expected: string, value: unknown): MemprofError {
  return coded(
    new TypeError(`${name} must be ${expected}, but is ${shown(value)}`),
    'ERR_MEMPROF_INVALID_ARG_TYPE',
  );
}

export function outOfRange(name: string, expected: string, value: unknown): MemprofError {
  return coded(
    new RangeError(`${name} must be ${expected}, but is ${shown(value)}`),
    'ERR_MEMPROF_OUT_OF_RANGE',
  );
}

/** `hint` ends the message: what was meant perhaps, or what there is. */
export function unknownOption(name: string, hint: string): MemprofError {
  return coded(new TypeError(`${name} is unknown${hint}`), 'ERR_MEMPROF_UNKNOWN_OPTION');
}

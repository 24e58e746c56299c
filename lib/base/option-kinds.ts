import { constants } from 'node:os';
import { checkBoolean, checkInteger, checkNumber, checkOneOf, checkPathOrNull } from './check.js';
import { invalidType, outOfRange } from './errors.js';

/**
 * Defines the values that an option accepts. A value has two forms: one in the API (`524288`), and a text in variables
 * and flags (`512k`).
 */
export interface Kind {
  /** What a text must be: the end of "--stack-depth must be …". */
  readonly expected: string;
  /** The name of the value in the help, such as `BYTES`; a kind without one is a switch. */
  readonly placeholder?: string;
  /** What the shell completes: a list of values, or names of files or directories. */
  readonly complete?: readonly string[] | 'file' | 'directory';
  /** The range of texts and of API values, for documentation; '' if there is no limit. */
  readonly range: string;
  readonly apiRange: string;
  /** Throws `ERR_MEMPROF_INVALID_ARG_TYPE` or `ERR_MEMPROF_OUT_OF_RANGE` for a value of the API. */
  check(value: unknown, name: string): void;
  /** Converts a text to the API's value; `undefined` if the text is not valid. */
  parse(text: string): unknown;
  /** Converts a value of the API to its text. */
  show(value: unknown): string;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function showBytes(value: unknown): string {
  const bytes = value as number;
  const unit = ['g', 'm', 'k'].find((each) => bytes >= UNITS[each]! && bytes % UNITS[each]! === 0) ?? '';
  return `${bytes / UNITS[unit]!}${unit}`;
}

/** An integer in the API; a text may have a unit: `524288`, `512k`, `512kB`, `1M`. */
export function bytes(low: number, high: number): Kind {
  return {
    expected: `bytes from ${showBytes(low)} to ${showBytes(high)}, such as 524288 or 512k`,
    placeholder: 'BYTES',
    range: `${showBytes(low)} … ${showBytes(high)}`,
    apiRange: `${low} … ${high}`,
    check: (value, name) => checkInteger(value, name, low, high),
    parse(text) {
      const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(text);
      if (match === null) return undefined;
      return within(Math.round(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!), low, high);
    },
    show: showBytes,
  };
}

/** An interval, or a range to choose it from. */
export interface IntervalRange {
  finest: number;
  coarsest: number;
}

/** Bytes, or a range of bytes: `{ finest: 65536, coarsest: 524288 }`; as a text `64k..512k`. */
export function interval(low: number, high: number): Kind {
  const single = bytes(low, high);
  return {
    ...single,
    expected: `${single.expected}, or a range of them such as 64k..512k`,
    apiRange: `${single.apiRange}, or a range { finest, coarsest }`,
    range: `${single.range}, or a range FINEST..COARSEST`,
    check(value, name) {
      if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
        return single.check(value, name);
      }
      const { finest, coarsest, ...others } = value as Partial<IntervalRange>;
      const [unknown] = Object.keys(others);
      if (unknown !== undefined) throw invalidType(name, 'a number or { finest, coarsest }', value);
      checkInteger(finest, `${name}.finest`, low, high);
      checkInteger(coarsest, `${name}.coarsest`, finest, high);
    },
    parse(given) {
      const ends = given.split('..').map((end) => single.parse(end.trim()) as number | undefined);
      const [finest, coarsest] = ends;
      if (ends.length > 2 || ends.includes(undefined)) return undefined;
      if (coarsest === undefined) return finest;
      return finest! <= coarsest ? { finest: finest!, coarsest } : undefined;
    },
    show: (value) =>
      typeof value === 'number'
        ? single.show(value)
        : Object.values(value as IntervalRange)
            .map(single.show)
            .join('..'),
  };
}

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function showDuration(value: unknown): string {
  const ms = value as number;
  // Not in minutes: a reader may take `1m` for a million.
  const unit = ['h', 's'].find((each) => ms >= MS[each]! && ms % MS[each]! === 0) ?? 'ms';
  return ms === 0 ? '0' : `${ms / MS[unit]!}${unit}`;
}

/** Milliseconds in the API; a text must have a unit: `20ms`, `1.5s`, `2m`, `1h`. */
export function duration(low: number, high: number): Kind {
  const range = `${showDuration(low)} to ${showDuration(high)}`;
  return {
    expected: `a duration from ${range}, with its unit (ms, s, m or h), such as 15s`,
    placeholder: 'DURATION',
    range: `${showDuration(low)} … ${showDuration(high)}`,
    apiRange: `${low} … ${high} ms`,
    check: (value, name) => checkNumber(value, name, low, high),
    parse(text) {
      const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/i.exec(text === '0' ? '0ms' : text);
      return match === null ? undefined : within(Number(match[1]) * MS[match[2]!.toLowerCase()]!, low, high);
    },
    show: showDuration,
  };
}

export function integer(low: number, high: number): Kind {
  const isOpen = high === Number.MAX_SAFE_INTEGER;
  const range = isOpen ? `${low} or more` : `${low} … ${high}`;
  return {
    expected: isOpen ? `an integer, ${low} or more` : `an integer from ${low} to ${high}`,
    placeholder: 'N',
    range,
    apiRange: range,
    check: (value, name) => checkInteger(value, name, low, high),
    parse: (text) => (/^\d+$/.test(text) ? within(Number(text), low, high) : undefined),
    show: String,
  };
}

function number(low: number, high: number, expected: string, range: string): Kind {
  return {
    expected,
    placeholder: 'F',
    range,
    apiRange: range,
    check: (value, name) => checkNumber(value, name, low, high),
    parse: (text) => (/^\d*\.?\d+(e-?\d+)?$/i.test(text) ? within(Number(text), low, high) : undefined),
    show: String,
  };
}

/** A fraction of 1: `0.005` is half a per cent. */
export function share(low: number, high: number): Kind {
  return number(low, high, `a share from ${low} to ${high}, such as 0.005`, `${low} … ${high}`);
}

/** Any number that is not negative. */
export const amount = number(0, Number.MAX_SAFE_INTEGER, 'a number, 0 or more', '0 or more');

function within(value: number, low: number, high: number): number | undefined {
  return value >= low && value <= high ? value : undefined;
}

/** Texts are `1`, `on`, `true`, `yes`, and `0`, `off`, `false`, `no`, `none`. The flag is a switch without a value. */
export const boolean: Kind = {
  expected: '1 or 0',
  range: '',
  apiRange: '',
  check: checkBoolean,
  parse: toBoolean,
  show: (value) => (value === true ? '1' : '0'),
};

function toBoolean(text: string): boolean | undefined {
  if (/^(1|on|true|yes)$/i.test(text)) return true;
  return /^(0|off|false|no|none)$/i.test(text) ? false : undefined;
}

export function oneOf(placeholder: string, values: readonly string[]): Kind {
  return {
    expected: values.join(' or '),
    placeholder,
    complete: values,
    range: values.join(', '),
    apiRange: values.map((each) => `'${each}'`).join(', '),
    check: (value, name) => checkOneOf(value, name, values),
    parse: (text) => values.find((each) => each === text),
    show: String,
  };
}

interface TextForm {
  complete?: readonly string[];
  /** Whether '' is refused. */
  needed?: boolean;
}

/** Any text. */
export function text(placeholder: string, { complete, needed = false }: TextForm = {}): Kind {
  const what = needed ? 'a string that is not empty' : 'a string';
  return {
    expected: needed ? 'a text that is not empty' : 'a text',
    placeholder,
    ...(complete === undefined ? {} : { complete }),
    range: '',
    apiRange: '',
    check(value, name) {
      if (typeof value !== 'string' || (needed && value === '')) throw invalidType(name, what, value);
    },
    parse: (given) => (needed && given === '' ? undefined : given),
    show: String,
  };
}

function pathKind(placeholder: string, complete: 'file' | 'directory', nullable: boolean): Kind {
  return {
    expected: `a ${complete}`,
    placeholder,
    complete,
    range: '',
    apiRange: '',
    check(value, name) {
      if (value === null && !nullable) throw invalidType(name, 'a path', value);
      checkPathOrNull(value, name);
    },
    parse: (given) => (given === '' || given.includes('\0') ? undefined : given),
    show: (value) => (value === null ? 'none' : String(value)),
  };
}

export const file = pathKind('FILE', 'file', false);
export const directory = pathKind('DIR', 'directory', false);
/** `null` means "no directory". */
export const directoryOrNull = pathKind('DIR', 'directory', true);

// Node.js reserves SIGUSR1 for its debugger, and V8 uses SIGPROF; JavaScript cannot catch the others.
const NOT_CAUGHT = ['SIGKILL', 'SIGSTOP', 'SIGUSR1', 'SIGPROF', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL'];

/** The name of a signal, or `null` for "no signal". */
export const signal: Kind = {
  expected: 'the name of a signal that can be caught, such as SIGUSR2, or none',
  placeholder: 'SIGNAL',
  range: '',
  apiRange: '',
  check(value, name) {
    if (value !== null && typeof value !== 'string') throw invalidType(name, 'a signal or null', value);
    if (value !== null && !isCaught(value)) throw outOfRange(name, 'a signal that can be caught', value);
  },
  parse(given) {
    if (toBoolean(given) === false) return null;
    const name = `SIG${given.toUpperCase().replace(/^SIG/, '')}`;
    return isCaught(name) ? name : undefined;
  },
  show: (value) => (value === null ? 'none' : String(value)),
};

function isCaught(name: string): boolean {
  return Object.hasOwn(constants.signals, name) && !NOT_CAUGHT.includes(name);
}

/** A value of `address`. */
export interface Address {
  host?: string;
  port: number;
}

/** A port with or without a host, or `null` for "no server". */
export const address: Kind = {
  expected: 'a port, HOST:PORT, or off',
  placeholder: 'ADDRESS',
  range: '',
  apiRange: '',
  check(value, name) {
    if (value === null) return;
    if (typeof value !== 'object') throw invalidType(name, 'an object { host, port } or null', value);
    checkInteger((value as Partial<Address>).port, `${name}.port`, 0, 65_535);
  },
  parse(given): Address | null | undefined {
    if (!/^\d/.test(given) && toBoolean(given) === false) return null;
    const match = /^(?:(.*):)?(\d{1,5})$/.exec(given);
    const port = within(Number(match?.[2]), 0, 65_535);
    if (port === undefined) return undefined;
    const host = match![1]?.replace(/^\[|\]$/g, '');
    return { port, ...(host === undefined || host === '' ? {} : { host }) };
  },
  show: (value) => (value === null ? 'off' : JSON.stringify(value)),
};

/** A value that only JavaScript can pass, such as an object or a function. */
export function ofApi(what: string, check: Kind['check']): Kind {
  return { expected: what, range: '', apiRange: '', check, parse: () => undefined, show: String };
}

/** An object whose values are strings. */
export const texts = ofApi('an object of strings', (value, name) => {
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'an object', value);
  for (const [key, each] of Object.entries(value)) {
    if (typeof each !== 'string') throw invalidType(`${name}.${key}`, 'a string', each);
  }
});

export const object = ofApi('an object', (value, name) => {
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'an object', value);
});

export const func = ofApi('a function', (value, name) => {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value);
});

export const abortSignal = ofApi('an AbortSignal', (value, name) => {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function') {
    throw invalidType(name, 'an AbortSignal', value);
  }
});

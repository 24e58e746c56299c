import { parseArgs } from 'node:util';
import { printable } from '../base/text.js';

/** A wrong command line: exit code 2. */
export class UsageError extends Error {
  constructor(
    message: string,
    /** Whose `--help` to point to. */
    readonly command?: string,
  ) {
    super(message);
  }
}

export interface Option {
  /** What the help calls the option's value; an option without one is a switch. */
  value?: string;
  short?: string;
  help: string;
  /** For completion: the values there are, or `file`, `directory`. */
  complete?: readonly string[] | 'file' | 'directory';
}

export type Options = Readonly<Record<string, Option>>;

export interface Arguments {
  /** What was given, by the option's name; the last one counts. */
  values: Readonly<Record<string, string | boolean | undefined>>;
  operands: readonly string[];
}

export const helpOption: Options = { help: { short: 'h', help: 'show this help' } };

/**
 * The long option that `arg` stands for. As in `go tool pprof`, one hyphen is as good as two (`-cum`, `-base=FILE`),
 * and so is `-` for `_`.
 */
function longName(arg: string, options: Options): string | undefined {
  const match = /^--?([a-z][a-z_-]+)(?==|$)/i.exec(arg);
  const name = match?.[1]?.replaceAll('-', '_').toLowerCase();
  return name !== undefined && Object.hasOwn(options, name) ? name : undefined;
}

function toLongForm(arg: string, options: Options): string {
  const name = longName(arg, options);
  const equals = arg.indexOf('=');
  if (name !== undefined) return `--${name}${equals === -1 ? '' : arg.slice(equals)}`;
  // Go's `-n=10`, where Node.js takes '=10' for the value.
  if (equals === 2 && /^-[a-z]/i.test(arg)) {
    const short = Object.entries(options).find(([, option]) => option.short === arg[1]);
    if (short !== undefined) return `--${short[0]}${arg.slice(2)}`;
  }
  return arg;
}

/** Whether the value of option `arg` is the argument after it. */
function takesNext(arg: string, options: Options): boolean {
  if (arg.includes('=')) return false;
  const name = longName(arg, options);
  const option =
    name !== undefined
      ? options[name]
      : Object.values(options).find(({ short }) => short !== undefined && arg === `-${short}`);
  return option?.value !== undefined;
}

/** How many of `args` come before the first operand: options with their values, and a `--` that ends them. */
export function countOptions(args: readonly string[], options: Options): number {
  let at = 0;
  while (at < args.length) {
    const arg = args[at]!;
    if (arg === '--') return at + 1;
    if (!arg.startsWith('-') || arg === '-') break;
    at += takesNext(arg, options) ? 2 : 1;
  }
  return Math.min(at, args.length);
}

export function parseOptions(command: string, args: readonly string[], options: Options): Arguments {
  const end = args.indexOf('--');
  const normalized = args.map((arg, at) => (end === -1 || at < end ? toLongForm(arg, options) : arg));
  try {
    const { values, positionals } = parseArgs({
      args: normalized,
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { value, short }]) => [
          name,
          { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) },
        ]),
      ),
    });
    return { values: values as Arguments['values'], operands: positionals };
  } catch (error) {
    throw new UsageError(usageMessage(error as Error & { code?: string }, options), command);
  }
}

function usageMessage(error: Error & { code?: string }, options: Options): string {
  const option = /'(-[^' ]*)/.exec(error.message)?.[1];
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && option !== undefined) {
    const near = nearest(option.replace(/^-+/, '').replaceAll('-', '_'), Object.keys(options));
    return `unknown option ${printable(option)}${near === undefined ? '' : `: did you mean --${near}?`}`;
  }
  return error.message.split('\n')[0]!.replace(/^Option/, 'option');
}

/** The one of `words` that `word` may be a slip of. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const limit = word.length < 3 ? 1 : Math.max(2, Math.floor(word.length / 3));
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of words) {
    const edits = candidate.startsWith(word) && word.length > 2 ? 1 : distance(word, candidate);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j]! + (a[i] === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `524288`, `512k`, `512kB`, `1M`. */
export function parseBytes(text: string, name: string, low: number, high: number, command: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(text);
  const bytes = match === null ? Number.NaN : Math.round(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
  if (!(bytes >= low && bytes <= high)) {
    throw new UsageError(
      `--${name} must be a number of bytes from ${low} to ${high} (512k is fine), not '${printable(text)}'`,
      command,
    );
  }
  return bytes;
}

export function parseNumber(
  text: string,
  name: string,
  low: number,
  high: number,
  integer: boolean,
  command: string,
): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!(number >= low && number <= high) || (integer && !Number.isInteger(number))) {
    const upTo = high === Number.MAX_SAFE_INTEGER ? `${low} or more` : `from ${low} to ${high}`;
    throw new UsageError(
      `--${name} must be ${integer ? 'an integer' : 'a number'}, ${upTo}, not '${printable(text)}'`,
      command,
    );
  }
  return number;
}

export function parseChoice<T extends string>(
  text: string,
  name: string,
  choices: readonly T[],
  command: string,
): T {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) {
    throw new UsageError(`--${name} must be ${choices.join(' or ')}, not '${printable(text)}'`, command);
  }
  return choice;
}

/** RE2's `(?i)` at the beginning is understood. */
export function parseRegExp(text: string, name: string, command: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(text);
  const source = flags === null ? text : text.slice(flags[0].length);
  try {
    return new RegExp(source, [...new Set(`u${flags?.[1] ?? ''}`)].join(''));
  } catch {
    try {
      // Lenient: RE2 and users escape what need not be escaped.
      return new RegExp(source, flags?.[1] ?? '');
    } catch (error) {
      const reason = (error as Error).message.replace(/^Invalid regular expression: \/?.*\/[a-z]*: /s, '');
      throw new UsageError(`${name} is not a regular expression: ${printable(reason)}`, command);
    }
  }
}

import { parseArgs } from 'node:util';
import type { CommandName } from '../base/command-options.js';
import { didYouMean, nearest } from '../base/nearest.js';
import { defaultOf, flagName, type Option, optionsOf } from '../base/options.js';
import { printable } from '../base/text.js';

/** A wrong command line: exit code 2. */
export class UsageError extends Error {
  constructor(
    message: string,
    /** The command whose `--help` the message points to. */
    readonly command?: string,
  ) {
    super(message);
  }
}

/** A flag of a command: how it takes an option. */
export interface Flag {
  /** `sample-interval`; `no-source-maps` for a switch that is on by default. */
  name: string;
  option: Option;
  /** The value that the flag sets, if it is a shorthand or a switch. A flag without `means` takes a value. */
  means?: unknown;
  /** The name of the value in the help; undefined for a switch. */
  placeholder?: string;
  short?: string;
  /** '' for shorthands, which help and completion do not list. */
  help: string;
  complete?: readonly string[] | 'file' | 'directory';
}

export interface Arguments {
  /** Values by the option's name: the last one given, or the default. */
  values: Readonly<Record<string, unknown>>;
  /** Names of the options that were given. */
  given: ReadonlySet<string>;
  operands: readonly string[];
}

/** The flags of a command, in the order of its help. */
export function flagsOf(command: CommandName): Flag[] {
  return optionsOf(command).flatMap((option) => {
    const { kind, help, short } = option;
    if (kind.placeholder === undefined) return [switchOf(option, command)];
    const shorthands = (option.shorthand ?? []).map((value) => ({
      name: value,
      option,
      means: value,
      help: '',
    }));
    const flag: Flag = {
      name: flagName(option),
      option,
      placeholder: option.placeholder ?? kind.placeholder,
      help: `${help}${shownDefault(option, command)}`,
      ...(short === undefined ? {} : { short }),
      ...(kind.complete === undefined ? {} : { complete: kind.complete }),
    };
    return [flag, ...shorthands];
  });
}

function switchOf(option: Option, command: CommandName): Flag {
  const isOn = defaultOf(option, command) === true;
  return {
    name: `${isOn ? 'no-' : ''}${flagName(option)}`,
    option,
    means: !isOn,
    help: (isOn ? option.helpOff : undefined) ?? option.help,
    ...(option.short === undefined ? {} : { short: option.short }),
  };
}

function shownDefault(option: Option, command: CommandName): string {
  const value = defaultOf(option, command);
  const text = option.shownDefault ?? (value === undefined ? '' : option.kind.show(value));
  return text === '' ? '' : ` (default ${text})`;
}

/**
 * Finds the flag that `arg` stands for. As in `go tool pprof`, one hyphen is as good as two (`-cum`, `-base=FILE`). In
 * flags that `go tool pprof` has too, `_` may replace `-`, or both may be left out (`--sample_index`, `--nodecount`).
 */
function findFlag(arg: string, flags: readonly Flag[]): Flag | undefined {
  const name = /^--?([a-z][a-z_-]+)(?==|$)/i.exec(arg)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  const bare = (text: string) => text.replace(/[-_]/g, '');
  return (
    flags.find((flag) => flag.name === name) ??
    flags.find((flag) => flag.option.likePprof === true && bare(flag.name) === bare(name))
  );
}

function toLongForm(arg: string, flags: readonly Flag[]): string {
  const flag = findFlag(arg, flags);
  const equals = arg.indexOf('=');
  if (flag !== undefined) return `--${flag.name}${equals === -1 ? '' : arg.slice(equals)}`;
  // Go's `-n=10`: Node.js would take '=10' for the value.
  if (equals === 2 && /^-[a-z]/i.test(arg)) {
    const short = flags.find((each) => each.short === arg[1]);
    if (short !== undefined) return `--${short.name}${arg.slice(2)}`;
  }
  return arg;
}

/** Whether `arg` is a flag whose value is the next argument. */
function takesNext(arg: string, flags: readonly Flag[]): boolean {
  if (arg.includes('=')) return false;
  const flag = findFlag(arg, flags) ?? flags.find(({ short }) => short !== undefined && arg === `-${short}`);
  return flag !== undefined && flag.means === undefined;
}

/** Counts the arguments before the first operand: flags, their values, and a `--` that ends them. */
export function countFlags(args: readonly string[], flags: readonly Flag[]): number {
  let at = 0;
  while (at < args.length) {
    const arg = args[at]!;
    if (arg === '--') return at + 1;
    if (!arg.startsWith('-') || arg === '-') break;
    at += takesNext(arg, flags) ? 2 : 1;
  }
  return Math.min(at, args.length);
}

export function parseFlags(command: CommandName, args: readonly string[]): Arguments {
  const flags = flagsOf(command);
  const { values: texts, operands } = splitArguments(command, args, flags);
  const values: Record<string, unknown> = {};
  for (const option of optionsOf(command)) values[option.name] = defaultOf(option, command);
  const given = new Set<string>();
  // The option itself wins over its shorthands, so it comes last.
  for (const flag of [...flags].sort(
    (a, b) => Number(a.placeholder !== undefined) - Number(b.placeholder !== undefined),
  )) {
    const text = texts[flag.name];
    if (text === undefined) continue;
    given.add(flag.option.name);
    values[flag.option.name] = valuesOf(text, flag);
  }
  return { values, given, operands };

  function valuesOf(text: unknown, flag: Flag): unknown {
    if (Array.isArray(text)) return text.map((each: string) => parseValue(flag, each, command));
    return typeof text === 'string' ? parseValue(flag, text, command) : flag.means;
  }
}

function parseValue({ name, option }: Flag, text: string, command: CommandName): unknown {
  const value = option.kind.parse(text);
  if (value === undefined) {
    throw new UsageError(`--${name} must be ${option.kind.expected}, not '${printable(text)}'`, command);
  }
  return value;
}

function splitArguments(
  command: CommandName,
  args: readonly string[],
  flags: readonly Flag[],
): { values: Readonly<Record<string, unknown>>; operands: readonly string[] } {
  const end = args.indexOf('--');
  const normalized = args.map((arg, at) => (end === -1 || at < end ? toLongForm(arg, flags) : arg));
  try {
    const { values, positionals } = parseArgs({
      args: normalized,
      allowPositionals: true,
      options: Object.fromEntries(
        flags.map(({ name, means, short, option }) => [
          name,
          {
            type: means === undefined ? 'string' : 'boolean',
            multiple: option.isList === true,
            ...(short === undefined ? {} : { short }),
          },
        ]),
      ),
    });
    return { values, operands: positionals };
  } catch (error) {
    throw new UsageError(usageMessage(error as Error & { code?: string }, flags, command), command);
  }
}

function usageMessage(
  error: Error & { code?: string },
  flags: readonly Flag[],
  command: CommandName,
): string {
  const flag = /'(-[^' ]*)/.exec(error.message)?.[1];
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && flag !== undefined) {
    if (command === 'run' && process.allowedNodeEnvironmentFlags.has(flag)) {
      return `${flag} is an option of Node.js: put it between -- and the program, as in memprof run -- ${flag} … app.js`;
    }
    const near = nearest(
      flag,
      flags.map(({ name }) => name),
    );
    return `unknown option ${printable(flag)}${didYouMean(near && `--${near}`)}`;
  }
  // The value looks like an option, as in `-n -3`; Node.js calls that ambiguous.
  if (/argument is ambiguous/.test(error.message) && flag !== undefined) {
    const joined = flag.startsWith('--') ? `${flag}=-VALUE` : `${flag}-VALUE`;
    return `${printable(flag)} has no value: write ${printable(joined)} if the value begins with a dash`;
  }
  return error.message.split('\n')[0]!.replace(/^Option/, 'option');
}

/** Accepts RE2's flags at the beginning, such as `(?i)`. */
export function parseRegExp(text: string, name: string, command: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(text);
  const source = flags === null ? text : text.slice(flags[0].length);
  try {
    return new RegExp(source, [...new Set(`u${flags?.[1] ?? ''}`)].join(''));
  } catch {
    try {
      // Without the `u` flag, JavaScript tolerates needless escapes, as RE2 does.
      return new RegExp(source, flags?.[1] ?? '');
    } catch (error) {
      const reason = (error as Error).message.replace(/^Invalid regular expression: \/?.*\/[a-z]*: /s, '');
      throw new UsageError(`${name} is not a regular expression: ${printable(reason)}`, command);
    }
  }
}

import type { FileFormat } from '../base/choices.js';
import type { Address } from '../base/option-kinds.js';
import { defaultOf, optionsOf } from '../base/options.js';
import { readVariables } from '../base/read-variables.js';
import type { StartOptions } from '../profile/public-types.js';

/** How `memprof/register` profiles a program. */
export interface RegisterSettings {
  /** The given options of `start()`, without `heapLimitDump`; `start()` fills in the defaults of the others. */
  start: StartOptions;
  dir: string;
  format: FileFormat;
  signal?: NodeJS.Signals;
  /** MEMPROF_SIGNAL named the signal; it is not just the default. */
  signalAsked?: true;
  atExit: boolean;
  heapLimitDump: boolean;
  http?: Address;
  token?: string;
  sourceMaps: boolean;
}

interface Values {
  dir: string;
  format: FileFormat;
  signal: NodeJS.Signals | null;
  atExit: boolean;
  heapLimitDump: boolean;
  http: Address | null;
  token?: string;
  sourceMaps: boolean;
}

/** Reads settings from the environment. Wrong ones are reported in `problems` and keep their defaults. */
export function readSettings(env: NodeJS.ProcessEnv): { settings: RegisterSettings; problems: string[] } {
  const { values, problems } = readVariables('register', env);
  const own: Record<string, unknown> = {};
  const start: Record<string, unknown> = {};
  for (const option of optionsOf('register')) {
    const isStarts = option.takers.includes('start');
    const initial = isStarts ? undefined : defaultOf(option, 'register');
    const value = Object.hasOwn(values, option.name) ? values[option.name] : initial;
    if (value !== undefined) (isStarts ? start : own)[option.name] = value;
  }
  const { signal, http, ...rest } = own as unknown as Values;
  return {
    settings: {
      ...rest,
      start,
      ...(signal === null ? {} : { signal }),
      ...(values.signal ? { signalAsked: true } : {}),
      ...(http === null ? {} : { http }),
    },
    problems,
  };
}

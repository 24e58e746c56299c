import { didYouMean, nearest } from './nearest.js';
import { flagName, type Option, optionsOf, variableName } from './options.js';

/** The two entry points that read variables. */
export type Reader = 'register' | 'run';

export interface Variables {
  /** The given values in the API's form, by the option's name. */
  values: Record<string, unknown>;
  /** Messages about variables that are wrong; `values` lacks these. */
  problems: string[];
}

const readers: Readonly<Record<Reader, string>> = { register: 'memprof/register', run: 'memprof run' };

/** All variables belong to `memprof/register`. `memprof run` reads those that match its flags, as defaults for the flags. */
function variablesOf(reader: Reader): Option[] {
  const ofRegister = optionsOf('register');
  return reader === 'register' ? ofRegister : ofRegister.filter(({ takers }) => takers.includes('run'));
}

/**
 * Variables that are not options: `memprof run` and `countObjects` pass them to their child processes, and memprof's own
 * tests and builds use them.
 */
const OTHERS = /^MEMPROF_(RUN|BENCH_CHILD|TEST_.*|CI_.*)$/;

/** Kubernetes sets these variables in every container of a namespace that has a service called memprof. */
function isOfService(name: string, text: string): boolean {
  return /^MEMPROF_(SERVICE_(HOST|PORT)|PORT_\d)/.test(name) || /^(tcp|udp|sctp):\/\//.test(text);
}

/**
 * Reads options from the environment: `MEMPROF="sample-interval=64k,http=6060"` and `MEMPROF_SAMPLE_INTERVAL=64k`; the
 * latter wins. An empty variable counts as not set.
 */
export function readVariables(reader: Reader, env: NodeJS.ProcessEnv): Variables {
  const known = variablesOf(reader);
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  const unknown = (shown: string, near: string | undefined, option: Option | undefined) => {
    problems.push(
      option === undefined
        ? `${shown} is unknown${didYouMean(near)}`
        : `${shown} has no effect on ${readers[reader]}`,
    );
  };
  const set = (option: Option, text: string, shown: string) => {
    const value = option.kind.parse(text.trim());
    if (value !== undefined) values[option.name] = value;
    else
      problems.push(
        `${shown} must be ${option.kind.expected}, not ${JSON.stringify(text)}: the default is used`,
      );
  };

  for (const part of (env.MEMPROF ?? '').split(/[,;]/)) {
    if (part.trim() === '') continue;
    const [key = '', ...value] = part.split('=');
    const name = key.trim().toLowerCase().replaceAll('_', '-');
    const isIt = (option: Option) => flagName(option) === name;
    const option = known.find(isIt);
    const shown = `${JSON.stringify(key.trim())} in MEMPROF`;
    if (option !== undefined) set(option, value.join('='), shown);
    else unknown(shown, nearest(name, known.map(flagName)), optionsOf('register').find(isIt));
  }
  for (const option of known) {
    const name = variableName(option);
    const text = env[name];
    if (text !== undefined && text !== '') set(option, text, name);
  }
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('MEMPROF_') || text === undefined || text === '') continue;
    const isIt = (option: Option) => variableName(option) === name;
    if (OTHERS.test(name) || isOfService(name, text) || known.some(isIt)) continue;
    const near = nearest(name.slice('MEMPROF_'.length), known.map(flagName));
    const option = known.find((each) => flagName(each) === near);
    unknown(name, option && variableName(option), optionsOf('register').find(isIt));
  }
  return { values, problems };
}

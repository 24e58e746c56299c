import { didYouMean, nearest } from './nearest.js';
import { flagName, type Option, optionsOf, variableName } from './options.js';

/** Who reads variables. */
export type Reader = 'register' | 'run';

export interface Variables {
  /** What was given, by the option's name, in the API's form. */
  values: Record<string, unknown>;
  /** What is wrong, to be told; the values do not have it. */
  problems: string[];
}

const readers: Readonly<Record<Reader, string>> = { register: 'memprof/register', run: 'memprof run' };

/** Variables are those of `memprof/register`; `memprof run` has defaults of its flags in those that it takes as well. */
function variablesOf(reader: Reader): Option[] {
  const ofRegister = optionsOf('register');
  return reader === 'register' ? ofRegister : ofRegister.filter(({ takers }) => takers.includes('run'));
}

/** No options: what `memprof run` and `countObjects` tell their child processes, and what memprof's own tests and builds are told. */
const OTHERS = /^MEMPROF_(RUN|BENCH_CHILD|TEST_.*|CI_.*)$/;

/** Kubernetes gives them to every container beside a service that is called memprof. */
function isOfService(name: string, text: string): boolean {
  return /^MEMPROF_(SERVICE_(HOST|PORT)|PORT_\d)/.test(name) || /^(tcp|udp|sctp):\/\//.test(text);
}

/**
 * Options from the environment: `MEMPROF="sample-interval=64k,http=6060"`, and `MEMPROF_SAMPLE_INTERVAL=64k`, which
 * wins. An empty variable is as good as none.
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
    else problems.push(`${shown} must be ${option.kind.expected}, not ${JSON.stringify(text)}`);
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

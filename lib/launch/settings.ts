import { constants } from 'node:os';
import { type FileFormat, fileFormats } from './write-profile.js';

/** How `memprof/register` profiles a program. What is undefined is left to `start()`. */
export interface DropInSettings {
  sampleInterval?: number;
  stackDepth?: number;
  maxOverhead?: number;
  buffers?: boolean;
  bufferSampleInterval?: number;
  dir: string;
  format: FileFormat;
  signal?: NodeJS.Signals;
  /** The signal is not the default, but was asked for. */
  signalAsked?: true;
  atExit: boolean;
  heapLimitDump: boolean;
  http?: { host?: string; port: number };
  token?: string;
  workers: boolean;
  sourceMaps: boolean;
}

interface Setting {
  /** Of `MEMPROF_NAME`, and of `name=value` in `MEMPROF`. */
  name: string;
  expected: string;
  /** False when the text is none of what is expected. */
  apply(settings: DropInSettings, text: string): boolean;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function toBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)i?b?$/i.exec(text);
  return match === null ? Number.NaN : Math.round(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
}

function toBoolean(text: string): boolean | undefined {
  if (/^(1|on|true|yes)$/i.test(text)) return true;
  return /^(0|off|false|no|none)$/i.test(text) ? false : undefined;
}

/** Takes a value if there is one in range. */
function within(value: number, low: number, high: number, take: (value: number) => void): boolean {
  if (!(value >= low && value <= high)) return false;
  take(value);
  return true;
}

function flag(take: (settings: DropInSettings, value: boolean) => void): Setting['apply'] {
  return (settings, text) => {
    const value = toBoolean(text);
    if (value !== undefined) take(settings, value);
    return value !== undefined;
  };
}

/** In the order of the README's table. */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'INTERVAL',
    expected: 'bytes from 1 to 1g, such as 524288 or 512k',
    apply: (settings, text) =>
      within(toBytes(text), 1, 2 ** 30, (value) => {
        settings.sampleInterval = value;
      }),
  },
  {
    name: 'DEPTH',
    expected: 'an integer from 1 to 512',
    apply: (settings, text) =>
      /^\d+$/.test(text) &&
      within(Number(text), 1, 512, (value) => {
        settings.stackDepth = value;
      }),
  },
  {
    name: 'OVERHEAD',
    expected: 'a share of CPU time from 0.0001 to 1',
    apply: (settings, text) =>
      within(Number(text), 0.0001, 1, (value) => {
        settings.maxOverhead = value;
      }),
  },
  {
    name: 'BUFFERS',
    expected: '1 or 0',
    apply: flag((settings, value) => {
      settings.buffers = value;
    }),
  },
  {
    name: 'BUFFER_SAMPLE_INTERVAL',
    expected: 'bytes from 1 to 1g, such as 524288 or 512k',
    apply: (settings, text) =>
      within(toBytes(text), 1, 2 ** 30, (value) => {
        settings.bufferSampleInterval = value;
      }),
  },
  {
    name: 'DIR',
    expected: 'a directory',
    apply(settings, text) {
      settings.dir = text;
      return true;
    },
  },
  {
    name: 'FORMAT',
    expected: fileFormats.join(' or '),
    apply(settings, text) {
      const format = fileFormats.find((each) => each === text);
      if (format !== undefined) settings.format = format;
      return format !== undefined;
    },
  },
  {
    name: 'SIGNAL',
    expected: 'the name of a signal that can be caught, such as SIGUSR2, or none',
    apply(settings, text) {
      if (toBoolean(text) === false) {
        delete settings.signal;
        return true;
      }
      const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}` as NodeJS.Signals;
      // Node.js keeps SIGUSR1 for its debugger, and SIGPROF for V8's.
      const cannot = ['SIGKILL', 'SIGSTOP', 'SIGUSR1', 'SIGPROF', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL'];
      if (!Object.hasOwn(constants.signals, name) || cannot.includes(name)) return false;
      settings.signal = name;
      settings.signalAsked = true;
      return true;
    },
  },
  {
    name: 'AT_EXIT',
    expected: '1 or 0',
    apply: flag((settings, value) => {
      settings.atExit = value;
    }),
  },
  {
    name: 'HEAP_LIMIT_DUMP',
    expected: '1 or 0',
    apply: flag((settings, value) => {
      settings.heapLimitDump = value;
    }),
  },
  {
    name: 'HTTP',
    expected: 'a port, HOST:PORT, or off',
    apply(settings, text) {
      if (!/^\d/.test(text) && toBoolean(text) === false) {
        delete settings.http;
        return true;
      }
      const match = /^(?:(.*):)?(\d{1,5})$/.exec(text);
      if (match === null) return false;
      const host = match[1]?.replace(/^\[|\]$/g, '');
      return within(Number(match[2]), 0, 65_535, (port) => {
        settings.http = { port, ...(host === undefined || host === '' ? {} : { host }) };
      });
    },
  },
  {
    name: 'TOKEN',
    expected: 'a text',
    apply(settings, text) {
      settings.token = text;
      return true;
    },
  },
  {
    name: 'WORKERS',
    expected: '1 or 0',
    apply: flag((settings, value) => {
      settings.workers = value;
    }),
  },
  {
    name: 'SOURCE_MAPS',
    expected: '1 or 0',
    apply: flag((settings, value) => {
      settings.sourceMaps = value;
    }),
  },
];

/**
 * Settings from the environment: `MEMPROF="interval=64k,http=6060"`, and `MEMPROF_INTERVAL=64k`, which wins. Whatever
 * is wrong there is told in `problems`, and left as it is by default.
 */
export function readSettings(env: NodeJS.ProcessEnv): { settings: DropInSettings; problems: string[] } {
  const settings: DropInSettings = {
    dir: '.',
    format: 'pb.gz',
    signal: 'SIGUSR2',
    atExit: false,
    heapLimitDump: true,
    workers: false,
    sourceMaps: true,
  };
  const problems: string[] = [];
  const set = (name: string, text: string, shown: string) => {
    const setting = SETTINGS.find((each) => each.name === name);
    if (setting === undefined) problems.push(`${shown} is unknown`);
    else if (!setting.apply(settings, text.trim())) {
      problems.push(`${shown} should be ${setting.expected}, not ${JSON.stringify(text)}`);
    }
  };
  for (const part of (env.MEMPROF ?? '').split(/[,;]/)) {
    if (part.trim() === '') continue;
    const [name = '', ...value] = part.split('=');
    const key = name.trim();
    set(key.toUpperCase().replaceAll('-', '_'), value.join('='), `${JSON.stringify(key)} in MEMPROF`);
  }
  for (const { name } of SETTINGS) {
    const text = env[`MEMPROF_${name}`];
    if (text !== undefined && text !== '') set(name, text, `MEMPROF_${name}`);
  }
  return { settings, problems };
}

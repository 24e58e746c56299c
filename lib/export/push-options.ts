import { checkBoolean, checkNumber, checkOptions } from '../base/check.js';
import { invalidType, outOfRange } from '../base/errors.js';
import type { IngestTarget } from './pyroscope-request.js';

/** Options of `push`. */
export interface PushOptions {
  /** Of the server, `http:` or `https:`, without user and password: `http://pyroscope:4040`. */
  url: string;
  /** Of the application: letters, digits, `_`, `.`, `-`, `/`. */
  name: string;
  /** Names of letters, digits, `_` and `.`; values without `,` and `}`. Default none. */
  labels?: Readonly<Record<string, string>>;
  /** Seconds between two pushes, 0.1 … 86400. Default 15. */
  intervalSeconds?: number;
  /** Seconds after which a push is given up, 0.1 … 86400. Default 10. */
  timeoutSeconds?: number;
  /** Sent as `Authorization: Bearer …`. */
  token?: string;
  /** Sent as `Authorization: Basic …`: for Grafana Cloud, the user's number and a token. */
  basicAuth?: { username: string; password: string };
  /** More headers: `{ 'X-Scope-OrgID': 'tenant' }`, for instance. */
  headers?: Readonly<Record<string, string>>;
  /** Whether frames of built code are sent as they are in its sources, where a source map is found. Default true. */
  sourceMaps?: boolean;
  /** In the place of the global `fetch`. */
  fetch?: typeof fetch;
}

export interface CheckedPushOptions {
  target: IngestTarget;
  intervalSeconds: number;
  timeoutSeconds: number;
  sourceMaps: boolean;
  fetch: typeof fetch | undefined;
}

/** Throws `ERR_MEMPROF_INVALID_ARG_TYPE` or `ERR_MEMPROF_OUT_OF_RANGE`. */
export function checkPushOptions(options: PushOptions): CheckedPushOptions {
  if (options === undefined) throw invalidType('options', 'an object', options);
  const { url, name, labels, intervalSeconds = 15, timeoutSeconds = 10, headers } = checkOptions(options);
  const { token, basicAuth, sourceMaps = true, fetch: ownFetch } = options;
  checkNumber(intervalSeconds, 'options.intervalSeconds', 0.1, 86_400);
  checkNumber(timeoutSeconds, 'options.timeoutSeconds', 0.1, 86_400);
  checkBoolean(sourceMaps, 'options.sourceMaps');
  if (ownFetch !== undefined && typeof ownFetch !== 'function') {
    throw invalidType('options.fetch', 'a function', ownFetch);
  }
  if (typeof name !== 'string') throw invalidType('options.name', 'a string', name);
  if (!/^[\w.\-/]+$/.test(name)) {
    throw outOfRange('options.name', 'of letters, digits, _, ., - and /', name);
  }
  return {
    target: {
      url: checkUrl(url),
      name,
      labels: checkLabels(labels),
      headers: { ...checkTexts(headers, 'options.headers'), ...authorization(token, basicAuth) },
    },
    intervalSeconds,
    timeoutSeconds,
    sourceMaps,
    fetch: ownFetch,
  };
}

function checkUrl(url: unknown): URL {
  if (typeof url !== 'string') throw invalidType('options.url', 'a string', url);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (
    parsed === undefined ||
    !/^https?:$/.test(parsed.protocol) ||
    parsed.username + parsed.password !== ''
  ) {
    // Not shown: it may hold a password.
    throw outOfRange('options.url', 'an http: or https: URL without user and password', undefined);
  }
  return parsed;
}

function checkLabels(labels: unknown): Record<string, string> {
  const checked = checkTexts(labels, 'options.labels');
  for (const [key, value] of Object.entries(checked)) {
    if (!/^[\w.]+$/.test(key) || key === '__name__') {
      throw outOfRange('a name in options.labels', 'of letters, digits, _ and .', key);
    }
    if (/[,}]/.test(value)) throw outOfRange(`options.labels.${key}`, 'without , and }', value);
  }
  return checked;
}

function checkTexts(texts: unknown, name: string): Record<string, string> {
  if (texts === undefined) return {};
  if (typeof texts !== 'object' || texts === null) throw invalidType(name, 'an object', texts);
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value !== 'string') throw invalidType(`${name}.${key}`, 'a string', value);
  }
  return { ...texts } as Record<string, string>;
}

function authorization(token: unknown, basicAuth: PushOptions['basicAuth']): { authorization?: string } {
  if (token !== undefined && typeof token !== 'string') {
    throw invalidType('options.token', 'a string', token);
  }
  if (basicAuth === undefined) return token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { username, password } = checkTexts(basicAuth, 'options.basicAuth');
  if (username === undefined || password === undefined || token !== undefined) {
    throw outOfRange('options.basicAuth', '{ username, password }, without a token beside it', basicAuth);
  }
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

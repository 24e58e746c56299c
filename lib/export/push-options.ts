import { completeOptions } from '../base/check-options.js';
import { invalidType, outOfRange } from '../base/errors.js';
import type { IngestTarget } from './pyroscope-request.js';

/** Options of `push`. */
export interface PushOptions {
  /** The URL of the server: `http:` or `https:`, without user and password, such as `http://pyroscope:4040`. */
  url: string;
  /** The name of the application: letters, digits, `_`, `.`, `-`, `/`. */
  name: string;
  /** Labels. Names consist of letters, digits, `_` and `.`; values must not contain `,` or `}`. Default none. */
  labels?: Readonly<Record<string, string>>;
  /** Time between two pushes in milliseconds, 100 … 86400000. Default 15000. */
  interval?: number;
  /** How long to wait before giving up on a push, in milliseconds, 100 … 86400000. Default 10000. */
  timeout?: number;
  /** A token, sent as `Authorization: Bearer …`. */
  token?: string;
  /** User and password, sent as `Authorization: Basic …`. For Grafana Cloud: the user's number and a token. */
  basicAuth?: { username: string; password: string };
  /** Further headers, such as `{ 'X-Scope-OrgID': 'tenant' }`. */
  headers?: Readonly<Record<string, string>>;
  /** Whether frames of built code with a source map are sent as they are in the sources. Default true. */
  sourceMaps?: boolean;
  /** A function to use instead of the global `fetch`. */
  fetch?: typeof fetch;
}

export interface CheckedPushOptions {
  target: IngestTarget;
  /** Milliseconds. */
  interval: number;
  timeout: number;
  sourceMaps: boolean;
  fetch: typeof fetch | undefined;
}

/** Throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE` or `ERR_MEMPROF_UNKNOWN_OPTION`. */
export function checkPushOptions(options: PushOptions): CheckedPushOptions {
  if (options === undefined) throw invalidType('options', 'an object', options);
  const { url, name, labels, interval, timeout, headers, token, basicAuth, sourceMaps, fetch } =
    completeOptions<PushOptions, Checked>('push', options);
  if (!/^[\w.\-/]+$/.test(name)) {
    throw outOfRange('options.name', 'of letters, digits, _, ., - and /', name);
  }
  return {
    target: {
      url: checkUrl(url),
      name,
      labels: checkLabels(labels),
      headers: { ...headers, ...authorization(token, basicAuth) },
    },
    interval,
    timeout,
    sourceMaps,
    fetch,
  };
}

type Defaulted = 'interval' | 'timeout' | 'sourceMaps';
type Checked = Omit<PushOptions, Defaulted | 'fetch'> &
  Required<Pick<PushOptions, Defaulted>> & { fetch: typeof fetch | undefined };

function checkUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (
    parsed === undefined ||
    !/^https?:$/.test(parsed.protocol) ||
    parsed.username + parsed.password !== ''
  ) {
    // The message does not show the URL, which may contain a password.
    throw outOfRange('options.url', 'an http: or https: URL without user and password', undefined);
  }
  return parsed;
}

function checkLabels(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  for (const [key, value] of Object.entries(labels)) {
    if (!/^[\w.]+$/.test(key) || key === '__name__') {
      throw outOfRange('a name in options.labels', 'of letters, digits, _ and .', key);
    }
    if (/[,}]/.test(value)) throw outOfRange(`options.labels.${key}`, 'without , and }', value);
  }
  return { ...labels };
}

function authorization(
  token: string | undefined,
  basicAuth: PushOptions['basicAuth'],
): { authorization?: string } {
  if (basicAuth === undefined) return token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { username, password } = basicAuth as Partial<typeof basicAuth>;
  if (username === undefined || password === undefined || token !== undefined) {
    throw outOfRange('options.basicAuth', '{ username, password }, and given without a token', basicAuth);
  }
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

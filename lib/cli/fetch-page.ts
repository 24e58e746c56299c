import { printable } from '../base/text.js';
import { isUrl, reasonOf, withoutUser } from './fetch-profile.js';
import { Failure } from './profile-file.js';

export { isUrl };

// A snapshot of a large heap takes that long, and more.
const TIMEOUT_MS = 300_000;

/** The URL of another of memprof's pages in the same program. */
export function pageUrl(address: string, page: string, parameters: Readonly<Record<string, string>>): URL {
  if (!URL.canParse(address)) throw new Failure(`${printable(address)}: not a valid URL`);
  const url = new URL(address);
  const prefix = /^(.*)\/debug\/pprof(?:\/.*)?$/s.exec(url.pathname)?.[1] ?? url.pathname.replace(/\/+$/, '');
  url.pathname = `${prefix}/debug/pprof/${page}`;
  url.search = String(new URLSearchParams(parameters));
  url.hash = '';
  return url;
}

/** Fetches a page as JSON. The URL may contain `user:password@`. */
export async function fetchPage(address: URL): Promise<string> {
  const { url, headers } = withoutUser(address);
  try {
    const response = await fetch(url, {
      headers: { ...headers, accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = await response.text();
    if (response.ok) return body;
    const said = body.split('\n')[0]!;
    throw new Failure(
      `${printable(url.href)}: HTTP ${response.status}${said === '' ? '' : `: ${printable(said)}`}`,
    );
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`${printable(url.href)}: ${reasonOf(error)}`);
  }
}

import { printable } from '../base/text.js';
import { BUFFERS_COMMENT, externalComment, residentComment } from '../profile/external-memory.js';
import { LIMITS } from '../profile/limits.js';
import type { ProfileData } from '../profile/model.js';
import { Failure, readProfile } from './profile-file.js';
import { progress } from './progress.js';

/** More than any profile takes by itself, and enough for `?seconds=60`. */
const TIMEOUT_MS = 120_000;

export function isUrl(operand: string): boolean {
  return /^https?:\/\//i.test(operand);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection broke off',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'cannot look up the name of the host',
  ETIMEDOUT: 'no answer',
  UND_ERR_SOCKET: 'the connection broke off',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
};

/** Fetches a profile of any format. The URL may contain `user:password@`. */
export async function fetchProfile(address: string): Promise<ProfileData> {
  if (!URL.canParse(address)) throw new Failure(`${printable(address)}: not a valid URL`);
  const { url, headers } = withoutUser(new URL(address));
  const fromHeaders: string[] = [];
  const profile = await readProfile(printable(url.href), () => download(url, headers, fromHeaders));
  return { ...profile, comments: [...profile.comments, ...fromHeaders] };
}

/** Moves `user:password@` from the URL to a header, since `fetch` refuses such URLs. */
export function withoutUser(address: URL): { url: URL; headers: Record<string, string> } {
  const url = new URL(address);
  const headers: Record<string, string> = {};
  if (url.username + url.password !== '') {
    const user = [url.username, url.password].map(decodeURIComponent).join(':');
    headers.authorization = `Basic ${Buffer.from(user).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  return { url, headers };
}

/** Fetches JSON. The URL may contain `user:password@`. */
export async function fetchJson(address: URL): Promise<unknown> {
  const { url, headers } = withoutUser(address);
  const fail = (reason: string) => new Failure(`${printable(url.href)}: ${reason}`);
  let body: Buffer;
  try {
    body = await download(url, { ...headers, accept: 'application/json' }, []);
  } catch (error) {
    throw fail((error as Error).message);
  }
  try {
    return JSON.parse(body.toString());
  } catch {
    throw fail('the answer is not JSON: is this memprof, and new enough?');
  }
}

/** Adds to `comments` what the response's headers tell about the profile. */
async function download(url: URL, headers: Record<string, string>, comments: string[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    const seconds = Number(url.searchParams.get('seconds'));
    if (seconds > 1) progress(`${printable(url.host)} watches for ${seconds} s …`);
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Failure(`HTTP ${response.status} ${printable(response.statusText)}`.trimEnd());
    }
    const external = response.headers.get('x-memprof-external');
    if (external !== null) comments.push(externalComment(Number(external)));
    if (response.headers.get('x-memprof-buffers') !== null) comments.push(BUFFERS_COMMENT);
    const resident = response.headers.get('x-memprof-rss');
    if (resident !== null) comments.push(residentComment(Number(resident)));
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > LIMITS.inputBytes) throw new Failure('too large');
      chunks.push(chunk);
      if (size > 2 ** 20) progress(`fetching ${printable(url.host)}: ${Math.round(size / 2 ** 20)} MB …`);
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(reasonOf(error));
  }
  return Buffer.concat(chunks);
}

/** `fetch` gives the reason in `cause`; if it tried several addresses, the causes are in there. */
export function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return 'no answer';
  const reason = REASONS[cause?.code ?? ''] ?? cause?.message;
  return printable((reason || message).split('\n')[0]!);
}

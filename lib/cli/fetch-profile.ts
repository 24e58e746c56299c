import { printable } from '../base/text.js';
import { externalComment } from '../profile/external-memory.js';
import { LIMITS } from '../profile/limits.js';
import type { ProfileData } from '../profile/model.js';
import { Failure, readProfile } from './profile-file.js';

/** Longer than any profile takes that is not asked to cover some time; `?seconds=` may be a minute. */
const TIMEOUT_MS = 120_000;

export function isUrl(operand: string): boolean {
  return /^https?:\/\//i.test(operand);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection broke off',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  ETIMEDOUT: 'no answer',
  UND_ERR_SOCKET: 'the connection broke off',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
};

/** Fetches a profile of any format; `user:password@` in the URL is understood. */
export async function fetchProfile(address: string): Promise<ProfileData> {
  if (!URL.canParse(address)) throw new Failure(`${printable(address)}: not a URL`);
  const url = new URL(address);
  const headers: Record<string, string> = {};
  if (url.username + url.password !== '') {
    const user = [url.username, url.password].map(decodeURIComponent).join(':');
    headers.authorization = `Basic ${Buffer.from(user).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  const said: string[] = [];
  const profile = await readProfile(printable(url.href), () => download(url, headers, said));
  return { ...profile, comments: [...profile.comments, ...said] };
}

/** `said`: gets what the headers say of the profile, as its comments would. */
async function download(url: URL, headers: Record<string, string>, said: string[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Failure(`HTTP ${response.status} ${printable(response.statusText)}`.trimEnd());
    }
    const external = response.headers.get('x-memprof-external');
    if (external !== null) said.push(externalComment(Number(external)));
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > LIMITS.inputBytes) throw new Failure('too large');
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(reasonOf(error));
  }
  return Buffer.concat(chunks);
}

/** `fetch` says why in the cause; of several addresses, each has its own. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return 'no answer';
  const reason = REASONS[cause?.code ?? ''] ?? cause?.message;
  return printable((reason || message).split('\n')[0]!);
}

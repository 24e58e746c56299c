import { printable } from '../base/text.js';
import { LIMITS } from '../profile/limits.js';
import { Failure } from './profile-file.js';
import { progress } from './progress.js';

interface Options {
  headers?: Readonly<Record<string, string>>;
  timeoutMs: number;
  /** Gets the headers of an answer that is no error. */
  onHeaders?: (headers: Headers) => void;
}

/** What the URL gives, up to a limit. The URL may contain `user:password@`. Messages of errors leave the URL to the caller. */
export async function download(
  address: URL,
  { headers = {}, timeoutMs, onHeaders }: Options,
): Promise<Buffer> {
  const { url, authorization } = withoutUser(address);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    const response = await fetch(url, {
      headers: { ...headers, ...authorization },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Failure(await refusal(response));
    onHeaders?.(response.headers);
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

/** The status, and what a server such as memprof's says about it in a line of text. */
async function refusal(response: Response): Promise<string> {
  const { status, statusText, headers, body } = response;
  let said = '';
  if (headers.get('content-type')?.startsWith('text/plain') === true) {
    for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
      said += Buffer.from(chunk).toString();
      if (said.length > 1000 || said.includes('\n')) break;
    }
  }
  await body?.cancel().catch(() => {});
  said = said.split('\n')[0]!.slice(0, 1000);
  return `HTTP ${status}${said === '' ? ` ${printable(statusText)}` : `: ${printable(said)}`}`.trimEnd();
}

/** Moves `user:password@` from the URL to a header, since `fetch` refuses such URLs. */
function withoutUser(address: URL): { url: URL; authorization: Record<string, string> } {
  const url = new URL(address);
  const headers: Record<string, string> = {};
  if (url.username + url.password !== '') {
    const user = [url.username, url.password].map(decodeURIComponent).join(':');
    headers.authorization = `Basic ${Buffer.from(user).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  return { url, authorization: headers };
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

/** `fetch` gives the reason in `cause`; if it tried several addresses, the causes are in there. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return 'no answer';
  const reason = REASONS[cause?.code ?? ''] ?? cause?.message;
  return printable((reason || message).split('\n')[0]!);
}

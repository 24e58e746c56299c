import { shownUrl } from './addresses.js';
import { download } from './download.js';
import { Failure } from './profile-file.js';

// A snapshot of a large heap takes that long, and more.
const TIMEOUT_MS = 300_000;

/** Fetches one of memprof's pages as JSON, and returns its text. */
export async function fetchPage(url: URL): Promise<string> {
  try {
    const body = await download(url, { headers: { accept: 'application/json' }, timeoutMs: TIMEOUT_MS });
    return checked(body.toString());
  } catch (error) {
    throw error instanceof Failure ? new Failure(`${shownUrl(url)}: ${error.message}`) : error;
  }
}

function checked(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    throw new Failure('the answer is not JSON: is this memprof, and new enough?');
  }
  return text;
}

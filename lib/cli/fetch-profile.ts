import { printable } from '../base/text.js';
import { BUFFERS_COMMENT, externalComment, residentComment } from '../profile/external-memory.js';
import type { ProfileData } from '../profile/model.js';
import { profileUrl, shownUrl } from './addresses.js';
import { download } from './download.js';
import { readProfile } from './profile-file.js';
import { progress } from './progress.js';

/** More than any profile takes by itself, and enough for `?seconds=60`. */
const TIMEOUT_MS = 120_000;

/** Fetches a profile of any format; the address of memprof's pages stands for the heap profile among them. */
export async function fetchProfile(address: string): Promise<ProfileData> {
  const url = profileUrl(address);
  const seconds = Number(url.searchParams.get('seconds'));
  if (seconds > 1) progress(`${printable(url.host)} watches for ${seconds} s …`);
  let fromHeaders: string[] = [];
  const onHeaders = (headers: Headers) => {
    fromHeaders = commentsOf(headers);
  };
  const profile = await readProfile(shownUrl(url), () => download(url, { timeoutMs: TIMEOUT_MS, onHeaders }));
  return { ...profile, comments: [...profile.comments, ...fromHeaders] };
}

/** What the headers of a response tell about the profile. */
function commentsOf(headers: Headers): string[] {
  const external = headers.get('x-memprof-external');
  const resident = headers.get('x-memprof-rss');
  return [
    ...(external === null ? [] : [externalComment(Number(external))]),
    ...(headers.get('x-memprof-buffers') === null ? [] : [BUFFERS_COMMENT]),
    ...(resident === null ? [] : [residentComment(Number(resident))]),
  ];
}

import type { ServerResponse } from 'node:http';
import { foldInternals } from '../analysis/internals.js';
import { encodeProto } from '../capture/pipeline.js';
import { formatFlamePage } from '../flame/page.js';
import { parseProfile } from '../formats/readers.js';
import { HEAP_SAMPLE_TYPES } from '../profile/heap-values.js';
import { mergeProfiles } from '../profile/merge.js';
import { toProfileData } from '../profile/merged.js';
import type { ProfileData } from '../profile/model.js';
import type { Family } from './family.js';
import { formValue, parseInteger, sendChunked, sendError } from './go-forms.js';

/** A query without the parameter. */
export function without(query: string, name: string): string {
  const params = new URLSearchParams(query);
  params.delete(name);
  return String(params);
}

/** `?pid=all`: the sum of the profiles of all processes at the address. */
export async function serveSum(
  response: ServerResponse,
  name: string,
  query: string,
  family: Family,
  program: string,
): Promise<void> {
  if ((parseInteger(formValue(query, 'debug')) ?? 0) !== 0) {
    return sendError(response, 400, 'pid=all gives the sum as a proto: leave debug out, or name one process');
  }
  const isFlame = name === 'flame';
  const page = `${isFlame ? 'heap' : name}?${without(query, 'pid')}`;
  const members = await family.members();
  // One that has just ended is left out.
  const fetched = await Promise.allSettled(members.map(({ pid }) => family.fetch(pid, page)));
  const profiles = fetched.flatMap((each) => (each.status === 'fulfilled' ? [parseProfile(each.value)] : []));
  if (profiles.length === 0) {
    const reason = fetched.find((each) => each.status === 'rejected')?.reason as Error | undefined;
    return sendError(response, 502, reason?.message ?? 'no process answers');
  }
  const sum: ProfileData = toProfileData(mergeProfiles(profiles));
  if (!isFlame) {
    const body = await encodeProto(sum);
    response.setHeader('Content-Type', 'application/octet-stream');
    response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
    return sendChunked(response, body);
  }
  const type = formValue(query, 'type') || 'inuse_space';
  const sampleIndex = Math.max(
    0,
    HEAP_SAMPLE_TYPES.findIndex((each) => each.type === type),
  );
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  const title = `${program}, ${profiles.length} processes`;
  const granularity = formValue(query, 'granularity') === 'lines' ? 'lines' : 'places';
  const download = { href: 'heap?pid=all', name: 'heap.pb.gz' };
  sendChunked(
    response,
    formatFlamePage(foldInternals(sum), undefined, { title, sampleIndex, live: true, download, granularity }),
  );
}

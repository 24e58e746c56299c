import type { ServerResponse } from 'node:http';
import { canExplain } from '../analysis/explain.js';
import { type History, readHistory } from '../analysis/history.js';
import { whyLink } from '../analysis/why-link.js';
import { type Granularity, granularities } from '../base/choices.js';
import { duration } from '../base/option-kinds.js';
import { formValue, parseInteger, sendChunked, sendError } from './go-forms.js';
import { formatHistoryPage } from './history-page.js';
import type { ProfileRouteOptions } from './profile-route.js';

export const WEEK_MS = 7 * 86_400_000;

/**
 * `/debug/pprof/history`: how the memory of sites has changed, as a page, or as JSON by `Accept`. `since` is an age such as
 * `6h`; `granularity` is that of the report of leaks.
 */
export async function serveHistory(
  response: ServerResponse,
  query: string,
  { program, sourceMaps }: Pick<ProfileRouteOptions, 'program' | 'sourceMaps'>,
): Promise<void> {
  const sinceText = formValue(query, 'since');
  const since =
    sinceText === '' ? undefined : (duration(1000, WEEK_MS).parse(sinceText) as number | undefined);
  if (sinceText !== '' && since === undefined) {
    sendError(response, 400, 'invalid value for "since" - must be a duration such as 30m or 6h');
    return;
  }
  const granularity = formValue(query, 'granularity') || 'places';
  if (!granularities.includes(granularity as Granularity)) {
    sendError(response, 400, `invalid value for "granularity" - must be one of ${granularities.join(', ')}`);
    return;
  }
  const history = await readHistory({
    since,
    sourceMaps,
    granularity: granularity as Granularity,
    showInternals: formValue(query, 'internals') !== '',
  });
  const pid = parseInteger(formValue(query, 'pid'));
  // The names of other granularities are not those of sites.
  const why = granularity === 'places' && canExplain() ? (site: string) => whyLink(site, pid) : undefined;
  const asJson = (response.req.headers.accept ?? '').includes('application/json');
  response.setHeader('Content-Type', `${asJson ? 'application/json' : 'text/html'}; charset=utf-8`);
  sendChunked(
    response,
    asJson ? JSON.stringify(history satisfies History) : formatHistoryPage(history, program, why),
  );
}

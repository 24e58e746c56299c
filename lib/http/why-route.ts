import type { ServerResponse } from 'node:http';
import { explain } from '../analysis/explain.js';
import { formatCost, formatExplanation } from '../analysis/explain-text.js';
import { snapshotCost } from '../analysis/snapshot-cost.js';
import type { MemprofError } from '../base/errors.js';
import { formValue, parseInteger, sendChunked, sendError, sendText } from './go-forms.js';

const STATUS: Readonly<Record<string, number>> = {
  ERR_MEMPROF_BUSY: 429,
  ERR_MEMPROF_COSTLY: 403,
  ERR_MEMPROF_NO_OBJECTS: 409,
  ERR_MEMPROF_NO_THREAD: 404,
  ERR_MEMPROF_OUT_OF_RANGE: 400,
};

/**
 * `/debug/pprof/why`: what holds the memory of the sites that match `site`, at most `limit` of them, in `thread`. `yes=1`
 * allows heaps of any size. `cost=1` only tells what a snapshot would cost.
 */
export async function serveWhy(response: ServerResponse, query: string): Promise<void> {
  const asJson = (response.req.headers.accept ?? '').includes('application/json');
  if (formValue(query, 'cost') !== '') {
    const cost = snapshotCost();
    return asJson ? sendJson(response, cost) : sendText(response, `${formatCost(cost)}\n`);
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const site = formValue(query, 'site');
  const limit = parseInteger(formValue(query, 'limit'));
  try {
    const explanation = await explain({
      thread: parseInteger(formValue(query, 'thread')) ?? 0,
      signal: gone.signal,
      ...(site === '' ? {} : { site }),
      ...(limit === undefined ? {} : { limit }),
      ...(formValue(query, 'yes') === '' ? {} : { maxHeapBytes: Number.MAX_SAFE_INTEGER }),
    });
    if (asJson) sendJson(response, explanation);
    else sendText(response, formatExplanation(explanation));
  } catch (error) {
    const { code = '', message } = error as MemprofError;
    const status = STATUS[code];
    if (status === undefined) throw error;
    sendError(response, status, message);
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  sendChunked(response, JSON.stringify(value));
}

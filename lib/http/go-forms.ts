// Reads forms and sends answers as Go's net/http does.

import type { IncomingMessage, ServerResponse } from 'node:http';

export const TEXT = 'text/plain; charset=utf-8';

/** Splits a URL into the decoded path and the raw query; never fails, whatever was sent. */
export function splitUrl(url: string): { path: string; query: string } {
  const at = url.indexOf('?');
  const path = at === -1 ? url : url.slice(0, at);
  return { path: decode(path), query: at === -1 ? '' : url.slice(at + 1) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Go's `FormValue`: the first value of that name in the query, or ''. */
export function formValue(query: string, name: string): string {
  return new URLSearchParams(query).get(name) ?? '';
}

const MAX_INT64 = 2n ** 63n - 1n;

/** Go's `strconv.ParseInt(text, 10, 64)`, rounded to a double beyond 2^53; undefined where Go returns an error. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,30}$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return value > MAX_INT64 || value < -MAX_INT64 - 1n ? undefined : Number(value);
}

export function setCommonHeaders(response: ServerResponse): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
}

/** Like `serveError` of net/http/pprof: `go tool pprof` shows the text to its user. */
export function sendError(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  setCommonHeaders(response);
  response.removeHeader('Content-Disposition');
  response.setHeader('Content-Type', TEXT);
  response.setHeader('X-Go-Pprof', '1');
  const body = `${message}\n`;
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.statusCode = status;
  response.end(body);
}

export function sendText(response: ServerResponse, body: string): void {
  response.setHeader('Content-Type', TEXT);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

/** Sends a body without a length, as Go does when a page is written in pieces. */
export function sendChunked(response: ServerResponse, body: string | Uint8Array): void {
  response.write(body);
  response.end();
}

/** Reads the request's body; undefined if it is longer than `limit` or the client has gone. */
export async function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  // A middleware of Express, for example, may have read it already.
  const { body } = request as { body?: unknown };
  if (typeof body === 'string' || Buffer.isBuffer(body))
    return body.length > limit ? undefined : String(body);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += (chunk as Buffer).length;
      if (length > limit) return undefined;
      chunks.push(chunk as Buffer);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('latin1');
}

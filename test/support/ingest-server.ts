import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { type ProfileData, parseProfile } from '#dist/index.js';

export interface Ingested {
  path: string;
  method: string;
  query: Readonly<Record<string, string>>;
  headers: IncomingMessage['headers'];
  profile: ProfileData;
  gzipped: Buffer;
  sampleTypes: unknown;
}

export interface IngestServer {
  url: string;
  requests: Ingested[];
  /** Resolves when so many requests have come in. */
  received(count: number): Promise<void>;
}

type Answer = (response: ServerResponse, count: number) => void;

/**
 * A stand-in for a Pyroscope server, which is not at hand here: it takes `/ingest` apart as its documentation and the
 * source of its handler say, with Node's own reader of forms, and keeps what it was sent.
 */
export async function ingestServer(
  t: Test,
  answer: Answer = (response) => response.end(),
): Promise<IngestServer> {
  const waiting: { count: number; resolve: () => void }[] = [];
  const server: IngestServer = {
    url: '',
    requests: [],
    received: (count) =>
      new Promise((resolve) => {
        waiting.push({ count, resolve });
        notify();
      }),
  };
  const notify = () => {
    for (const { count, resolve } of waiting) if (server.requests.length >= count) resolve();
  };
  const http = createServer(async (request, response) => {
    const ingested = await readIngest(request).catch((error: Error) => error);
    if (ingested instanceof Error) {
      // A client that gave up while it was sending.
      if (request.errored !== null || request.destroyed) return;
      response.writeHead(422).end(ingested.message);
      t.fail('not a request as documented', { error: ingested.message });
      return;
    }
    server.requests.push(ingested);
    answer(response, server.requests.length);
    notify();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  t.teardown(() => {
    http.closeAllConnections();
    http.close();
  });
  return server;
}

async function readIngest(request: IncomingMessage): Promise<Ingested> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url!, 'http://localhost');
  const contentType = request.headers['content-type'] ?? '';
  if (!contentType.startsWith('multipart/form-data; boundary=')) throw new Error(`a ${contentType}`);
  const form = await new Response(Buffer.concat(chunks), {
    headers: { 'content-type': contentType },
  }).formData();
  const parts = [...form.keys()];
  // `prev_profile` is what today's servers refuse.
  if (parts.join() !== 'profile,sample_type_config') throw new Error(`parts ${parts.join()}`);
  const gzipped = Buffer.from(await (form.get('profile') as File).arrayBuffer());
  return {
    path: url.pathname,
    method: request.method!,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    gzipped,
    profile: parseProfile(gzipped),
    sampleTypes: JSON.parse(await (form.get('sample_type_config') as File).text()),
  };
}

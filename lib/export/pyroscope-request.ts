import { randomBytes } from 'node:crypto';

/** Describes the values to Pyroscope. Without it, older servers do not treat the allocations as deltas. */
const SAMPLE_TYPES = {
  alloc_objects: { units: 'objects' },
  alloc_space: { units: 'bytes' },
  inuse_objects: { units: 'objects', aggregation: 'average' },
  inuse_space: { units: 'bytes', aggregation: 'average' },
};

export interface IngestTarget {
  /** The URL of the server, including any path before `/ingest`. */
  url: URL;
  name: string;
  labels: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string>>;
}

export interface IngestRequest {
  url: string;
  init: {
    method: 'POST';
    headers: Record<string, string>;
    body: Uint8Array<ArrayBuffer>;
    redirect: 'manual';
  };
}

/**
 * Builds a `POST /ingest` with the profile in a form. The query has no `format=pprof`, because with it servers take the
 * whole body for the profile. `from` and `until` are in milliseconds; the request has seconds.
 */
export function ingestRequest(
  target: IngestTarget,
  profile: Uint8Array,
  from: number,
  until: number,
): IngestRequest {
  const url = new URL(target.url);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/ingest`;
  url.searchParams.set('name', labelSet(target));
  url.searchParams.set('from', String(Math.floor(from / 1000)));
  url.searchParams.set('until', String(Math.floor(until / 1000)));
  url.searchParams.set('spyName', 'nodespy');
  const boundary = `memprof-${randomBytes(16).toString('hex')}`;
  return {
    url: url.href,
    init: {
      method: 'POST',
      headers: { ...target.headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: formBody(boundary, [
        { name: 'profile', fileName: 'profile.pprof', content: profile },
        {
          name: 'sample_type_config',
          fileName: 'sample_type_config.json',
          content: Buffer.from(JSON.stringify(SAMPLE_TYPES)),
        },
      ]),
      // A redirect may turn a POST into a GET and drop its authorization, so none is followed.
      redirect: 'manual',
    },
  };
}

function labelSet({ name, labels }: IngestTarget): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return `${name}{${pairs.join(',')}}`;
}

interface Part {
  name: string;
  fileName: string;
  content: Uint8Array;
}

/** Encodes the form by hand, because a `FormData` only works with the `fetch` implementation that it belongs to. */
function formBody(boundary: string, parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = parts.flatMap(({ name, fileName, content }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${fileName}"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    content,
    Buffer.from('\r\n'),
  ]);
  return Uint8Array.from(Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]));
}

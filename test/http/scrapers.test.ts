// Requests as those who scrape Go's profiles make them (grafana/alloy, internal/component/pyroscope/scrape; parca-dev/parca,
// pkg/scrape; a plain client of Go, as the collector's), and what they ask of the answer.
import { get, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { parseProfile } from '#dist/index.js';
import { startApp } from '../support/http-app.js';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

function request(url: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      buffer(response).then(
        (body) => resolve({ status: response.statusCode!, headers: response.headers, body }),
        reject,
      );
    }).on('error', reject);
  });
}

const SCRAPERS = [
  { name: 'Alloy', headers: { 'User-Agent': 'Alloy/v1.5.1 (linux; docker)' } },
  { name: 'Parca', headers: { 'User-Agent': 'conprof/0.22.0' } },
  { name: 'a client of Go', headers: { 'User-Agent': 'Go-http-client/1.1' } },
];

t.test('several scrape allocs beside each other', async (t) => {
  const { base } = await startApp(t, 'leaks');
  const url = `${base}/allocs`;
  // Go asks for compression, and undoes it where the header says so: a profile is compressed by itself.
  const ask = ({ headers }: (typeof SCRAPERS)[number]) =>
    request(url, { ...headers, 'Accept-Encoding': 'gzip' });
  const last = new Map<string, number[]>();
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(SCRAPERS.map(ask));
    for (const [at, { status, headers, body }] of answers.entries()) {
      const { name } = SCRAPERS[at]!;
      t.equal(status, 200, name);
      t.equal(headers['content-encoding'], undefined, `${name}: it is not unpacked on the way`);
      t.same([...body.subarray(0, 2)], [0x1f, 0x8b], `${name}: gzip, as Go's`);
      const { sampleTypes, samples } = parseProfile(body);
      t.same(
        sampleTypes.map(({ type, unit }) => `${type} ${unit}`),
        ['alloc_objects count', 'alloc_space bytes', 'inuse_objects count', 'inuse_space bytes'],
      );
      // Alloy subtracts what it had before, by stack: counts of allocations never fall.
      const sums = [0, 1, 2].map((of) => samples.reduce((sum, { values }) => sum + values[of]!, 0));
      const before = last.get(name);
      t.ok(
        before === undefined || (sums[0]! >= before[0]! && sums[1]! >= before[1]!),
        `${name}: nothing is reset`,
      );
      t.ok(sums[0]! > 0 && sums[1]! > 0 && sums[2]! > 0);
      last.set(name, sums);
    }
  }
});

t.test('with a delta, as Alloy asks where profile.memory has one', async (t) => {
  const { base } = await startApp(t, 'leaks');
  const { status, body } = await request(`${base}/allocs?seconds=1`, SCRAPERS[0]!.headers);
  t.equal(status, 200);
  t.ok(parseProfile(body).durationNanos! >= 0.9e9);
});

t.test('profiles that only Go has are refused, so that a scraper says so', async (t) => {
  const { base } = await startApp(t, 'idle');
  for (const page of ['goroutine', 'block', 'mutex', 'profile', 'trace']) {
    const { status, body } = await request(`${base}/${page}?seconds=1`, SCRAPERS[1]!.headers);
    t.ok(status >= 400 && status < 500, `${page}: ${status}`);
    t.ok(body.length > 0);
  }
});

import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parseProfile } from '#dist/index.js';
import { fixtures } from '../support/cli.js';
import { startApp } from '../support/http-app.js';

interface Golden {
  url: string;
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Go's answers, as they were recorded. */
function goldens(): Golden[] {
  const text = readFileSync(path.join(fixtures, 'golden', 'endpoint-responses.txt'), 'latin1').replaceAll(
    '\r',
    '',
  );
  return text
    .split('### GET ')
    .slice(1)
    .map((part) => {
      const [head = '', ...rest] = part.split('\n\n');
      const [url = '', statusLine = '', ...headers] = head.split('\n');
      return {
        url,
        status: Number(statusLine.split(' ')[1]),
        headers: new Map(headers.map((line) => line.split(': ') as [string, string])),
        body: rest.join('\n\n'),
      };
    });
}

// What memprof has no counterpart of.
const FOREIGN = /\/(trace|profile)\b/;
// Depend on the program, not on the protocol.
const VARYING = new Set(['Content-Length']);

t.test("Go's answers: status, headers, error texts", async (t) => {
  const { origin } = await startApp(t, 'idle');
  const all = goldens();
  t.ok(all.length >= 20, `${all.length} answers`);
  for (const { url, status, headers, body } of all) {
    const response = await fetch(origin + url);
    const got = Buffer.from(await response.arrayBuffer());
    if (FOREIGN.test(url)) {
      t.equal(response.status, 404, `${url}: not here`);
      t.match(got.toString(), /^Unknown profile(: memprof has no .*)?\n$/);
      continue;
    }
    t.equal(response.status, status, url);
    const isError = status >= 400;
    for (const [name, value] of headers) {
      if (!isError && VARYING.has(name)) t.ok(response.headers.has(name), `${url}: ${name}`);
      else t.equal(response.headers.get(name), value, `${url}: ${name}`);
    }
    for (const name of ['X-Go-Pprof', 'Content-Disposition']) {
      t.equal(response.headers.get(name), headers.get(name) ?? null, `${url}: ${name}`);
    }
    if (isError) t.equal(got.toString().trimEnd(), body.trimEnd(), `${url}: text`);
    else if (headers.get('Content-Type') === 'application/octet-stream') {
      t.equal(parseProfile(got).sampleTypes.length, 4, `${url}: a proto`);
    } else {
      // The beginning, without what is the program's own.
      const beginning = (text: string) =>
        text.replace(/\d+/g, '0').slice(0, url.includes('symbol') ? 14 : 12);
      // The index has a test of its own.
      if (!url.includes('cmdline') && url !== '/debug/pprof/')
        t.equal(beginning(got.toString()), beginning(body), `${url}: ${beginning(body)}`);
    }
  }
});

t.test('the index page has the form of Go', async (t) => {
  const { base } = await startApp(t, 'idle');
  const go = readFileSync(path.join(fixtures, 'golden', 'index.html'), 'utf8');
  const own = await (await fetch(`${base}/`)).text();
  const rows = (html: string) =>
    new Map(
      Array.from(html.matchAll(/<tr><td>(\d+)<\/td><td><a href='([^']*)'>/g), ([, n, href]) => [href!, n!]),
    );
  for (const href of ['allocs?debug=1', 'cmdline?debug=1', 'heap?debug=1']) {
    t.ok(rows(go).has(href) && rows(own).has(href), href);
  }
  t.ok(Number(rows(own).get('heap?debug=1')) > 0, 'counts records');
  const title = (html: string) => /<title>(.*)<\/title>/.exec(html)![1];
  t.equal(title(own), title(go));
  for (const text of ['Types of profiles available', 'Profile Descriptions']) {
    t.ok(go.includes(text) && own.includes(text), text);
  }
  t.match(own, /Heap: [\d.]+ MB in use, of [\d.]+ MB\./);
  t.match(own, /memprof takes a sample every [\d.]+[kM]?B in \d+ threads?/);
  for (const [, href] of own.matchAll(/<a href='([^']*)'>/g)) {
    if (!href!.includes('seconds=')) t.equal((await fetch(`${base}/${href}`)).status, 200, href!);
  }
  for (const name of ['profile', 'trace']) {
    const absent = await fetch(`${base}/${name}`);
    t.equal(absent.status, 404);
    t.match(await absent.text(), /^Unknown profile: .* it profiles memory\. There are allocs, .*heap/);
  }
  for (const href of rows(own).keys()) t.equal((await fetch(`${base}/${href}`)).status, 200, href);
  const redirected = await fetch(base, { redirect: 'manual' });
  t.equal(redirected.status, 301);
  t.equal(new URL(redirected.headers.get('location')!, base).href, `${base}/`);
});

t.test('deltas are what happened in between, in all four values', async (t) => {
  const { base } = await startApp(t, 'leaks');
  const before = parseProfile(Buffer.from(await (await fetch(`${base}/heap`)).arrayBuffer()));
  const began = performance.now();
  const response = await fetch(`${base}/allocs?seconds=2`);
  t.equal(response.headers.get('content-disposition'), 'attachment; filename="allocs-delta"');
  const delta = parseProfile(Buffer.from(await response.arrayBuffer()));
  const took = performance.now() - began;
  const after = parseProfile(Buffer.from(await (await fetch(`${base}/heap`)).arrayBuffer()));
  t.equal(delta.defaultSampleType, 'alloc_space');
  const ms = delta.durationNanos! / 1e6;
  t.ok(ms > 1990 && ms < took, `${ms} of ${took} ms`);
  const sum = ({ samples }: typeof delta, functionName: string) =>
    samples
      .filter(({ stack }) => stack[0]?.functionName === functionName)
      .reduce((sums, { values }) => sums.map((each, at) => each + values[at]!), [0, 0, 0, 0]);
  for (const functionName of ['leakSite', 'churnSite']) {
    const [was, change, is] = [before, delta, after].map((profile) => sum(profile, functionName));
    t.ok(change![1]! > 0, `${functionName} allocated ${change![1]} bytes`);
    t.ok(
      change!.slice(0, 2).every((value, at) => value <= is![at]! - was![at]!),
      'no more than between two fetches around it',
    );
  }
  t.ok(sum(delta, 'leakSite')[3]! > 0, 'the leak grows');
  t.ok(sum(delta, 'churnSite')[3]! < sum(delta, 'churnSite')[1]! / 10, 'garbage does not');
  t.ok(
    delta.samples.every(({ values }) => values.some((value) => value !== 0)),
    'no sample without a difference',
  );
});

t.test('gc=1 collects, and the age of the figures is told', async (t) => {
  const { base } = await startApp(t, 'idle');
  const count = async () =>
    Number(/# NumForcedGC = (\d+)/.exec(await (await fetch(`${base}/heap?debug=1`)).text())![1]);
  const first = await count();
  t.equal((await fetch(`${base}/heap?gc=0`)).status, 200);
  t.equal((await fetch(`${base}/allocs?gc=1`)).status, 200);
  t.equal(await count(), first, 'not for others');
  const ageOf = ({ headers }: Response) => Number(headers.get('x-memprof-figures-age'));
  const began = performance.now();
  const age = ageOf(await fetch(`${base}/heap?gc=1`));
  const took = (performance.now() - began) / 1000;
  t.ok((await count()) > first);
  t.ok(age >= 0 && age <= took, `${age} s, in an answer after ${took} s`);
  // V8 may collect by itself in between.
  let later = 0;
  for (let more = 0; more < 5 && later <= 1; more++) {
    await new Promise((resolve) => setTimeout(resolve, 1100));
    later = ageOf(await fetch(`${base}/heap`));
  }
  t.ok(later > 1, `${later} s`);
});

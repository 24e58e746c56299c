import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type PushOptions, push } from '#dist/export/pyroscope-push.js';
import { lookup, parseProfile, start, stop } from '#dist/index.js';
import { relativeError } from '../support/figures.js';
import { type Ingested, ingestServer } from '../support/ingest-server.js';
import { runProgram } from '../support/run.js';

const gc = (globalThis as unknown as { gc(): void }).gc;

class Kept {
  constructor(
    readonly a: number,
    readonly b = a + 1,
  ) {}
}

const kept: Kept[] = [];
function retain(count: number): void {
  for (let n = 0; n < count; n++) kept.push(new Kept(n));
}

function startAnew(t: Test): void {
  start({ sampleInterval: 512, reset: true });
  t.teardown(stop);
}

/** However busy the machine is, there is no push but the one of `stop()`, and it is not given up. */
const patient = { interval: 3600000, timeout: 300000 };

/** Figures are cut to integers, in each push anew. */
const CUT = 0.01;

/** Sums of the four values over the stacks with `retain` as a frame. */
function ofRetain({ profile }: Pick<Ingested, 'profile'>): number[] {
  const sums = [0, 0, 0, 0];
  for (const { values, stack } of profile.samples) {
    if (!stack.some(({ functionName }) => functionName === 'retain')) continue;
    for (const [at, value] of values.entries()) sums[at]! += value;
  }
  return sums;
}

async function totals(): Promise<number[]> {
  const chunks: Buffer[] = [];
  const { Writable } = await import('node:stream');
  const sink = new Writable({
    write(chunk, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  await lookup('heap').writeTo(sink, 0);
  return ofRetain({ profile: parseProfile(Buffer.concat(chunks)) });
}

function catchWarnings(t: Test): (Error & { code?: string })[] {
  const warnings: (Error & { code?: string })[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on('warning', listener);
  t.teardown(() => process.off('warning', listener));
  return warnings;
}

// The server is a stand-in: see `ingestServer`.

t.test('a request is as documented', async (t) => {
  startAnew(t);
  const server = await ingestServer(t);
  const before = Math.floor(Date.now() / 1000);
  const pushing = push({
    url: `${server.url}/behind/a/proxy/`,
    name: 'shop.checkout',
    labels: { env: 'test', region: 'eu west' },
    token: 'secret',
    headers: { 'X-Scope-OrgID': 'tenant' },
    ...patient,
  });
  retain(5000);
  gc();
  await pushing.stop();
  const after = Math.floor(Date.now() / 1000);
  t.same(pushing.stats(), { pushed: 1, failed: 0, skipped: 0 });
  t.equal(server.requests.length, 1);
  const { method, path, query, headers, profile, gzipped, sampleTypes } = server.requests[0]!;
  t.equal(method, 'POST');
  t.equal(path, '/behind/a/proxy/ingest');
  t.same(Object.keys(query).sort(), ['from', 'name', 'spyName', 'until'], 'no format: see ingestRequest');
  t.equal(query.name, 'shop.checkout{env=test,region=eu west}');
  t.match(query.from, /^\d{10}$/, 'seconds');
  t.ok(Number(query.from) >= before && Number(query.until) <= after && query.from! <= query.until!);
  t.equal(headers.authorization, 'Bearer secret');
  t.equal(headers['x-scope-orgid'], 'tenant');
  t.same([...gzipped.subarray(0, 2)], [0x1f, 0x8b], 'gzipped');
  t.same(
    profile.sampleTypes.map(({ type, unit }) => `${type} ${unit}`),
    ['alloc_objects count', 'alloc_space bytes', 'inuse_objects count', 'inuse_space bytes'],
  );
  t.same(Object.keys(sampleTypes as object).sort(), profile.sampleTypes.map(({ type }) => type).sort());
  t.ok(Object.values(sampleTypes as object).every((each) => !('cumulative' in each)));
  t.ok(profile.timeNanos! / 1e9 >= before && profile.timeNanos! / 1e9 < after + 1);
  t.ok(profile.durationNanos! > 0 && profile.durationNanos! / 1e9 < after + 1 - before);
  t.ok(ofRetain({ profile })[0]! > 0);
});

t.test('basic authentication', async (t) => {
  startAnew(t);
  const server = await ingestServer(t);
  const pushing = push({
    url: server.url,
    name: 'x',
    basicAuth: { username: '1234', password: 'pä:ss' },
    ...patient,
  });
  retain(5000);
  gc();
  await pushing.stop();
  const { authorization } = server.requests[0]!.headers;
  t.equal(Buffer.from(authorization!.replace('Basic ', ''), 'base64').toString(), '1234:pä:ss');
});

t.test('allocations are deltas, what is in use is all of it', async (t) => {
  startAnew(t);
  retain(500);
  gc();
  const atStart = await totals();
  const server = await ingestServer(t);
  const pushing = push({ url: server.url, name: 'x', interval: 100, timeout: 300000 });
  for (let n = 1; n <= 3; n++) {
    retain(4000 * n);
    // Garbage of marking that was under way stays for the second.
    gc();
    gc();
    await server.received(server.requests.length + 2);
  }
  await pushing.stop();
  const atEnd = await totals();
  const pushed = server.requests.map(ofRetain);
  t.ok(pushed.length >= 6, 'pushed again and again', { pushes: pushed.length });
  const sum = (at: number) => pushed.reduce((total, values) => total + values[at]!, 0);
  t.ok(relativeError(sum(0), atEnd[0]! - atStart[0]!) < CUT, 'objects: each is in one push', { pushed });
  t.ok(relativeError(sum(1), atEnd[1]! - atStart[1]!) < CUT, 'bytes too', { pushed });
  // 40 bytes each: some 1800 samples, sigma 2.4 %: 4 sigma are 10 %.
  t.ok(relativeError(sum(0), 24_000) < 0.1, 'as many as there were', { objects: sum(0) });
  t.same(pushed.at(-1)!.slice(2), atEnd.slice(2), 'in use: what a profile says at the end');
  t.ok(atEnd[2]! > sum(0) && atStart[2]! > 0);
  const quiet = pushed.filter(([objects]) => objects === 0);
  t.ok(quiet.length > 0, 'a quiet time has no allocations', { pushed });
  t.ok(
    quiet.every(([, bytes, inUse]) => bytes === 0 && inUse! > 0),
    'but all that is in use',
  );
});

t.test('the next push includes the data of a failed one; there is one warning', async (t) => {
  startAnew(t);
  const warnings = catchWarnings(t);
  const atStart = await totals();
  const server = await ingestServer(t, (response, count) => {
    if (count > 3) response.end();
    else if (count === 3) response.socket!.destroy();
    else response.writeHead(500).end('the disk\nis full');
  });
  const pushing = push({
    url: server.url,
    name: 'x',
    interval: 100,
    timeout: 300000,
    token: 'secret',
  });
  retain(5000);
  gc();
  await server.received(2);
  t.equal(pushing.stats().lastError, 'HTTP 500 Internal Server Error the disk');
  retain(5000);
  gc();
  await server.received(5);
  await pushing.stop();
  const { failed, pushed } = pushing.stats();
  t.equal(failed, 3);
  t.equal(pushed, server.requests.length - 3);
  const atEnd = await totals();
  const accepted = server.requests.slice(3);
  const objects = accepted.reduce((total, request) => total + ofRetain(request)[0]!, 0);
  t.ok(relativeError(objects, atEnd[0]! - atStart[0]!) < CUT, 'nothing is lost, nothing comes twice', {
    objects,
  });
  t.ok(objects > 8000);
  t.equal(accepted[0]!.query.from, server.requests[0]!.query.from, 'it covers the time of those that failed');
  t.equal(warnings.length, 1);
  t.match(warnings[0], { name: 'MemprofWarning', code: 'MEMPROF_PUSH', message: /HTTP 500/ });
  t.notMatch(warnings[0]!.message, 'secret');
});

t.test('a server that does not answer: one push at a time, each given up in time', async (t) => {
  startAnew(t);
  const warnings = catchWarnings(t);
  const server = await ingestServer(t, () => {});
  let atOnce = 0;
  let mostAtOnce = 0;
  let calls = 0;
  const counting: typeof fetch = async (...args) => {
    calls++;
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    try {
      return await fetch(...args);
    } finally {
      atOnce--;
    }
  };
  const pushing = push({
    url: server.url,
    name: 'x',
    interval: 100,
    timeout: 500,
    fetch: counting,
  });
  const started = performance.now();
  retain(5000);
  gc();
  const enough = () => pushing.stats().skipped >= 3 && pushing.stats().failed >= 2;
  for (const end = Date.now() + 120_000; !enough() && Date.now() < end; ) await sleep(50);
  const callsBefore = calls;
  await pushing.stop();
  const took = performance.now() - started;
  t.ok(calls <= callsBefore + 2, 'stop() waits for one push at most, and makes one', { calls, callsBefore });
  const { pushed, failed, skipped, lastError } = pushing.stats();
  t.equal(pushed, 0);
  t.equal(failed, calls);
  // Timers count in whole milliseconds.
  t.ok(failed >= 2 && failed * 490 <= took, 'each has all of its timeout', { failed, took });
  t.ok(skipped >= 3, 'the times in between are passed over', { skipped });
  t.equal(lastError, 'no answer within 0.5 s');
  t.equal(mostAtOnce, 1);
  t.equal(warnings.length, 1);
  await sleep(300);
  t.equal(calls, failed, 'nothing comes after stop()');
});

t.test('a fetch that misbehaves does not reach the program', async (t) => {
  startAnew(t);
  catchWarnings(t);
  const unhandled: unknown[] = [];
  const listener = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', listener);
  t.teardown(() => process.off('unhandledRejection', listener));
  const bad: PushOptions['fetch'][] = [
    () => {
      throw new Error('thrown');
    },
    () => Promise.reject('no error at all'),
    () => Promise.reject(undefined),
    () => new Promise(() => {}),
    async () => undefined as never,
  ];
  for (const each of bad) {
    const pushing = push({
      url: 'http://localhost',
      name: 'x',
      interval: 100,
      timeout: 100,
      fetch: each!,
    });
    retain(5000);
    gc();
    await sleep(150);
    await t.resolves(pushing.stop());
    const { pushed, failed, lastError } = pushing.stats();
    t.equal(pushed, 0);
    t.ok(failed > 0);
    t.type(lastError, 'string');
    t.equal(pushing.stop(), pushing.stop(), 'stopped is stopped');
  }
  await sleep(50);
  t.same(unhandled, []);
});

t.test('nothing is sent if nothing was sampled', async (t) => {
  const server = await ingestServer(t);
  stop();
  start({ sampleInterval: 2 ** 30, reset: true });
  stop();
  const pushing = push({ url: server.url, name: 'x' });
  await pushing.stop();
  t.same(server.requests, []);
  t.same(pushing.stats(), { pushed: 0, failed: 0, skipped: 0 });
});

t.test('a program ends when it has nothing else to do', async (t) => {
  const server = await ingestServer(t);
  const { code, stderr } = await runProgram('pushing', { args: [server.url], timeoutSeconds: 300 });
  t.equal(code, 0, stderr);
  t.equal(server.requests.length, 0);
  const run = await runProgram('pushing', { args: [server.url, 'stop'] });
  t.equal(run.stdout.split(' ')[0], '{"pushed":1,"failed":0,"skipped":0}');
  t.equal(server.requests.length, 1, 'stop() pushes a last time');
});

t.test('options', async (t) => {
  const good = { url: 'http://localhost:4040', name: 'x' };
  const type = { code: 'ERR_MEMPROF_INVALID_ARG_TYPE', name: 'TypeError' };
  const range = { code: 'ERR_MEMPROF_OUT_OF_RANGE', name: 'RangeError' };
  const cases: [options: unknown, expected: typeof type][] = [
    [undefined, type],
    ['http://localhost', type],
    [{ name: 'x' }, type],
    [{ url: good.url }, type],
    [{ ...good, url: 'localhost:4040' }, range],
    [{ ...good, url: 'file:///x' }, range],
    [{ ...good, name: '' }, range],
    [{ ...good, name: 'a{b}' }, range],
    [{ ...good, labels: 7 }, type],
    [{ ...good, labels: { a: 7 } }, type],
    [{ ...good, labels: { 'a-b': '' } }, range],
    [{ ...good, labels: { __name__: 'x' } }, range],
    [{ ...good, labels: { a: 'b,c' } }, range],
    [{ ...good, labels: { a: 'b}' } }, range],
    [{ ...good, interval: '15' }, type],
    [{ ...good, interval: 0 }, range],
    [{ ...good, timeout: Number.NaN }, range],
    [{ ...good, token: 7 }, type],
    [{ ...good, basicAuth: { username: 'a' } }, range],
    [{ ...good, basicAuth: { username: 'a', password: 'b' }, token: 'c' }, range],
    [{ ...good, headers: { a: 1 } }, type],
    [{ ...good, fetch: 7 }, type],
    [{ ...good, sourceMaps: 1 }, type],
  ];
  for (const [options, expected] of cases) {
    t.throws(() => push(options as PushOptions), expected, JSON.stringify(options));
  }
  try {
    push({ ...good, url: 'http://me:secret@localhost' });
    t.fail('a password in the URL');
  } catch (error) {
    t.match(error, range);
    t.notMatch((error as Error).message, 'secret');
  }
});

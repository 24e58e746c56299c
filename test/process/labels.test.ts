import { readFileSync } from 'node:fs';
import { createServer, get, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import express from 'express';
import fastify from 'fastify';
import t, { type Test } from 'tap';
import { native } from '#dist/addon/native.js';
import { labelRoutes } from '#dist/http.js';
import { parseProfile, type Status, setLabels, status, withLabels } from '#dist/index.js';
import { goTags, hasGo } from '../support/go-pprof.js';
import { report } from '../support/run.js';

const [major = 0] = process.versions.node.split('.').map(Number);
const supported = major >= 24;
const skip = supported
  ? false
  : `Node.js ${process.version} does not keep asynchronous contexts where a sample can read them`;

interface Report {
  labelled: { allocObjects: number; allocBytes: number; labels: Record<string, string> }[];
  status: Status;
}

const WEIGHTS = { small: 1, middle: 2, large: 3 };

/** Checks that the three counts are in the ratio of the weights, each within 4 sigma of its binomial share. */
function inRatio(t: Test, counts: Map<string, number>, what: string): void {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  t.ok(total > 250, `${what}: ${total} samples`);
  for (const [tenant, weight] of Object.entries(WEIGHTS)) {
    const share = weight / 6;
    const off = (counts.get(tenant) ?? 0) - total * share;
    const sigma = Math.sqrt(total * share * (1 - share));
    t.ok(Math.abs(off) < 4 * sigma, `${what} of ${tenant}: ${(off / sigma).toFixed(1)} sigma off`, { total });
  }
}

function countBy(samples: readonly { tenant: string | undefined; count: number }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { tenant, count } of samples) {
    if (tenant !== undefined) counts.set(tenant, (counts.get(tenant) ?? 0) + count);
  }
  return counts;
}

t.test('three tenants that allocate 1 : 2 : 3 in asynchronous work', { skip }, async (t) => {
  const directory = t.testdir({});
  const { labelled, status } = await report<Report>('tenants', { args: [directory, 60] });
  t.match(status.labels, { heap: true, buffers: true, problem: null });
  t.equal(status.heap.samplesLost, 0);
  const things = labelled.filter(({ allocBytes, allocObjects }) => allocBytes === 128 * allocObjects);
  inRatio(
    t,
    countBy(things.map(({ labels, allocObjects }) => ({ tenant: labels.tenant, count: allocObjects }))),
    'things',
  );
  for (const { labels } of things) {
    if (labels.plan === undefined) continue;
    t.equal(labels.plan, labels.tenant === 'small' ? 'free' : 'paid', 'inner labels join the outer ones');
    break;
  }

  const buffers = readFileSync(path.join(directory, 'buffers.pb.gz'));
  const { samples } = parseProfile(buffers);
  const bySize = samples
    .filter(({ numLabels }) => numLabels.bytes?.[0] === 16384)
    // A sampled buffer counts for 1 / (1 - exp(-1/4)) buffers.
    .map(({ labels, values }) => ({
      tenant: labels.tenant?.[0],
      count: (values[0] ?? 0) * (1 - Math.exp(-1 / 4)),
    }));
  inRatio(t, countBy(bySize), 'buffers');

  if (!hasGo) return t.comment('go is missing: its reader is not asked');
  for (const name of ['heap', 'buffers']) {
    const text = goTags(directory, readFileSync(path.join(directory, `${name}.pb.gz`)));
    t.match(text, / tenant: Total /);
    for (const tenant of Object.keys(WEIGHTS)) t.match(text, new RegExp(`%\\): ${tenant}\n`));
  }
});

t.test('labels of the running context', { skip }, async (t) => {
  const running = () => native().labelsOf(native().runningLabels());
  t.strictSame(running(), []);
  const inner = await withLabels({ b: '2', a: '1' }, async () => {
    t.strictSame(running(), ['a', '1', 'b', '2']);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return withLabels({ b: '3' }, running);
  });
  t.strictSame(inner, ['a', '1', 'b', '3'], 'labels of the same key are replaced');
  t.strictSame(running(), [], 'and end with the function');
  await withLabels({ job: 'x' }, async () => {
    setLabels({ step: '1' });
    await null;
    t.strictSame(running(), ['job', 'x', 'step', '1']);
  });
  t.strictSame(running(), []);
  t.equal(status().labels.problem, "labels of the heap's samples need directSamples");
});

t.test('wrong arguments, and where labels do not work', async (t) => {
  t.throws(() => withLabels(1 as never, () => {}), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
  t.throws(() => withLabels({ a: 1 as never }, () => {}), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
  t.throws(() => withLabels({}, 1 as never), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
  t.throws(() => setLabels({ thread: '1' }), { code: 'ERR_MEMPROF_OUT_OF_RANGE' });
  t.throws(() => labelRoutes({ rout: () => '' } as never), { code: 'ERR_MEMPROF_UNKNOWN_OPTION' });
  t.equal(
    withLabels({ a: '1' }, () => 7),
    7,
  );
  t.throws(
    () =>
      withLabels({ a: '1' }, () => {
        throw new Error('own');
      }),
    { message: 'own' },
  );
  if (!supported) {
    t.match(status().labels, { heap: false, buffers: false, problem: /^this Node\.js does not keep/ });
  }
});

async function labelsAt(t: Test, listener: RequestListener, url: string): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${port}${url}`, { agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

t.test('labelRoutes labels the route of each request', async (t) => {
  const labels = () => JSON.stringify(native().labelsOf(native().runningLabels()));
  const expected = (route: string) => (supported ? JSON.stringify(['route', route]) : '[]');
  const label = labelRoutes();
  const plain: RequestListener = (request, response) =>
    label(request, response, () => setImmediate(() => response.end(labels())));
  t.equal(await labelsAt(t, plain, '/cart/42?x=1'), expected('GET /cart/:id'));
  t.equal(await labelsAt(t, plain, '/'), expected('GET /'));
  t.equal(
    await labelsAt(t, plain, '/a/3f2504e0-4f89-11d3-9a0c-0305e82c3301/b/c/d/e'),
    expected('GET /a/:id/b/c/…'),
  );

  const app = express();
  app.use(labelRoutes({ route: (request) => (request.url === '/health' ? undefined : request.url) }));
  app.use((_, response) => void setImmediate(() => response.send(labels())));
  t.equal(await labelsAt(t, app, '/health'), '[]');
  t.equal(await labelsAt(t, app, '/cart'), expected('GET /cart'));

  const server = fastify();
  server.addHook('onRequest', labelRoutes() as never);
  server.get('/users/:name', async () => {
    await null;
    return labels();
  });
  const { body } = await server.inject('/users/anna');
  t.equal(body, expected('GET /users/:name'));
});

t.test('there is a limit on different labels', { skip }, async (t) => {
  const running = () => native().labelsOf(native().runningLabels());
  for (let n = 0; n < 1100; n++) withLabels({ user: String(n) }, () => {});
  t.strictSame(withLabels({ user: 'one more' }, running), ['user', '(other)'], 'there are 1000 sets at most');
  for (let n = 0; n < 50; n++) withLabels({ [`key${n}`]: '' }, () => {});
  t.strictSame(withLabels({ key49: '' }, running), [], 'and 24 sets of others');
  t.strictSame(withLabels({ user: '7' }, running), ['user', '7'], 'earlier sets stay');
});

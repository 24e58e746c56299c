import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import t, { type Test as TapTest } from 'tap';
import { native } from '#dist/addon/native.js';
import { defaultSampleType, type ProfileName, readCapture, withSources } from '#dist/capture/pipeline.js';
import { snapshotProto } from '#dist/capture/snapshot-proto.js';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { parseProfile } from '#dist/formats/readers.js';
import { start, status, stop } from '#dist/index.js';
import { profileFromRecords } from '#dist/profile/heap-values.js';
import { root } from '../support/run.js';

const program = '/app/main.js';

/** What the writer of records makes of the same. */
async function written(name: ProfileName, sourceMaps: boolean): Promise<Uint8Array> {
  const { records, sampleInterval } = await withSources(readCapture(name), { sourceMaps });
  return encodeProto(
    profileFromRecords(records, {
      sampleInterval,
      defaultSampleType: defaultSampleType(name),
      timeNanos: 0,
      program,
    }),
  );
}

function snapshot(name: ProfileName, sourceMaps: boolean): Promise<Buffer> {
  const options = { ofBuffers: name === 'buffers', defaultSampleType: defaultSampleType(name) };
  return snapshotProto({ ...options, sourceMaps, program });
}

async function isTheSame(t: TapTest, name: ProfileName, sourceMaps: boolean) {
  const before = Date.now();
  const { timeNanos, ...seen } = parseProfile(await snapshot(name, sourceMaps));
  const { timeNanos: _, ...wanted } = parseProfile(await written(name, sourceMaps));
  t.ok(timeNanos! / 1e6 >= before - 1 && timeNanos! / 1e6 <= Date.now() + 1);
  t.ok(seen.samples.length > 0, `${seen.samples.length} samples`);
  t.equal(JSON.stringify(seen), JSON.stringify(wanted));
  return seen;
}

const kept: unknown[] = [];
const names = ['grüße 🙂', 'line\nbreak', '\ud800 lone', `long ${'ü'.repeat(4000)}`, ''];
for (const name of names) {
  const { [name]: keeps } = {
    [name]: (n: number) => {
      for (let i = 0; i < n; i++) kept.push({ name, i });
    },
  };
  kept.push(keeps);
}

t.test('what is written off the thread is what the writer of records writes', async (t) => {
  start({ sampleInterval: 1024, labelThreads: true, buffers: true, bufferSampleInterval: 1024 });
  for (const keeps of kept.slice(0, names.length) as ((n: number) => void)[]) keeps(5000);
  for (let i = 0; i < 500; i++) kept.push(Buffer.alloc(1000 + i));
  const worker = new Worker(
    `const { start, stop } = require(${JSON.stringify(`${root}/dist`)});
    start({ sampleInterval: 1024, labelThreads: true });
    globalThis.kept = Array.from({ length: 20000 }, (_, i) => ({ i }));
    for (let i = 0; i < 1e5; i++) globalThis.last = { i };
    stop();`,
    { eval: true },
  );
  await new Promise((resolve) => worker.once('exit', resolve));
  gc!();
  stop();
  for (const name of ['heap', 'allocs', 'buffers'] as const) {
    for (const sourceMaps of [false, true]) {
      await t.test(`${name}, source maps ${sourceMaps ? 'on' : 'off'}`, async (t) => {
        const { samples } = await isTheSame(t, name, sourceMaps);
        const files = new Set(samples.flatMap(({ stack }) => stack.map(({ fileName }) => fileName)));
        // Compiled, or as its source map has it.
        const own = path.parse(__filename).name;
        t.ok(
          [...files].some((file) => path.parse(file!).name === own),
          'this test is in it',
        );
        if (name !== 'buffers') {
          t.equal(new Set(samples.map(({ labels }) => labels.thread?.[0])).size, 2, 'two threads');
        }
      });
    }
  }
});

t.test('a snapshot is written once', async (t) => {
  const taken = await native().takeSnapshot(false);
  const options = {
    ...{ sampleInterval: 1024, timeNanos: 0, defaultSampleType: 'inuse_space', program, comments: ['said'] },
    ...{
      shownFrames: [],
      shownFunctions: [],
      shownFiles: [],
      shownLines: [],
      shownColumns: [],
      shownStarts: [],
    },
    fileNames: taken.files,
  };
  const proto = await taken.encode(options);
  t.ok(parseProfile(proto).samples.length > 0);
  t.strictSame(parseProfile(proto).comments, ['said']);
  t.equal(taken.encode(options), undefined);
  t.equal(taken.framesOf(0), undefined, 'and holds nothing then');
});

t.test('many at a time', async (t) => {
  const all = await Promise.all(Array.from({ length: 20 }, () => snapshot('heap', true)));
  const first = gunzipSync(all[0]!).length;
  t.ok(all.every((each) => Math.abs(gunzipSync(each).length - first) < 10));
});

t.test('a worker that ends meanwhile', async (t) => {
  for (let i = 0; i < 20; i++) {
    const worker = new Worker(
      `const { writeHeapProfile } = require(${JSON.stringify(`${root}/dist`)});
      const { Writable } = require('node:stream');
      const sink = new Writable({ write: (chunk, encoding, done) => done() });
      for (let i = 0; i < 10; i++) writeHeapProfile(sink);
      setInterval(() => {}, 1000); // or it might end by itself
      require('node:worker_threads').parentPort.postMessage(0);`,
      { eval: true },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, i / 4));
    t.equal(await worker.terminate(), 1);
  }
  t.equal(status().state, 'stopped');
});

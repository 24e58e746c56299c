import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CompressionStream, TransformStream, WritableStream } from 'node:stream/web';
import t from 'tap';
import {
  lookup,
  parseProfile,
  type Sink,
  start,
  status,
  stop,
  type WriteOptions,
  writeHeapProfile,
} from '#dist/index.js';

const heap = lookup('heap');
const kept: unknown[] = [];

t.before(() => {
  start({ sampleInterval: 1024, reset: true });
  for (let n = 0; n < 5000; n++) kept.push({ n });
});
t.teardown(stop);

/** What `writeTo` writes. */
async function written(debug: number, options?: WriteOptions): Promise<Buffer> {
  const sink = new PassThrough();
  const bytes = buffer(sink);
  await heap.writeTo(sink, debug, options);
  sink.end();
  return bytes;
}

t.test('encode gives what writeTo writes', async (t) => {
  // With the profiler stopped, nothing happens between the one and the other.
  stop();
  t.teardown(() => start());
  const proto = await heap.encode();
  t.ok(Buffer.isBuffer(proto));
  // The time passes, and the sizes that the comments tell change.
  const { timeNanos, comments, ...profile } = parseProfile(proto);
  const { timeNanos: later, comments: laterComments, ...other } = parseProfile(await written(0));
  t.ok(profile.samples.length > 0 && later! >= timeNanos!);
  t.strictSame(profile, other);
  const words = (texts: readonly string[] = []) => texts.map((each) => each.replace(/\d+/g, 'N'));
  t.strictSame(words(comments), words(laterComments));
  t.equal(parseProfile(await heap.encode({ sampleType: 'alloc_space' })).defaultSampleType, 'alloc_space');
  t.equal(parseProfile(await lookup('allocs').encode()).defaultSampleType, 'alloc_space');
  const records = (text: Buffer) => text.toString().split('\n# runtime.MemStats')[0];
  t.equal(records(await heap.encode({ format: 'text' })), records(await written(1)));
  t.match(
    (await heap.encode({ format: 'text', header: 'heap_v2' })).toString(),
    /^heap profile: .* @ heap_v2\/1024\n/,
  );
  for (const format of ['folded', 'heapprofile'] as const) {
    t.ok((await heap.encode({ format })).equals(await written(0, { format })), format);
  }
});

t.test('hazard: an option of encode that has no effect passes silently', async (t) => {
  const range = { name: 'RangeError', code: 'ERR_MEMPROF_OUT_OF_RANGE' };
  await t.rejects(heap.encode({ header: 'heap_v2' }), {
    ...range,
    message: /^options\.header must be left out/,
  });
  await t.rejects(heap.encode({ format: 'text', sampleType: 'alloc_space' }), {
    ...range,
    message: /^options\.sampleType must be left out/,
  });
  await t.rejects(heap.encode({ format: 'pb' } as never), range);
  for (const signal of [7, {}, null]) {
    await t.rejects(heap.encode({ signal } as never), { code: 'ERR_MEMPROF_INVALID_ARG_TYPE' });
    await t.rejects(heap.writeTo(new PassThrough(), 0, { signal } as never), {
      code: 'ERR_MEMPROF_INVALID_ARG_TYPE',
    });
  }
});

t.test('web streams', async (t) => {
  const chunks: Uint8Array[] = [];
  let closed = false;
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(chunk),
    close: () => {
      closed = true;
    },
  });
  await heap.writeTo(sink, 0);
  t.equal(sink.locked, false, 'it can be written to again');
  t.ok(parseProfile(Buffer.concat(chunks.splice(0))).samples.length > 0);
  await heap.writeTo(sink, 1);
  t.ok(
    chunks.every((chunk) => chunk instanceof Uint8Array),
    'text comes in bytes',
  );
  t.match(Buffer.concat(chunks).toString(), /^heap profile: /);
  t.equal(closed, false, 'it is not ended');

  const { readable, writable } = new TransformStream();
  const writing = writeHeapProfile(writable as WritableStream<Uint8Array>);
  const reader = readable.getReader();
  t.ok(parseProfile((await reader.read()).value).samples.length > 0);
  await writing;

  const zipped = new CompressionStream('gzip');
  const bytes = buffer(zipped.readable as never);
  await heap.writeTo(zipped.writable as WritableStream<Uint8Array>, 1);
  await zipped.writable.close();
  t.ok(parseProfile(await bytes).samples.length > 0, 'text through gzip');
});

t.test('hazard: a web stream that fails, is locked or was closed', async (t) => {
  const unhandled: unknown[] = [];
  const listener = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', listener);
  t.teardown(() => process.off('unhandledRejection', listener));
  const failing = new WritableStream<Uint8Array>({
    write: () => {
      throw new Error('disk full');
    },
  });
  await t.rejects(heap.writeTo(failing, 0), { message: 'disk full' });
  await t.rejects(heap.writeTo(failing, 0), { message: 'disk full' }, 'and again');
  const locked = new WritableStream<Uint8Array>();
  locked.getWriter();
  await t.rejects(heap.writeTo(locked, 0), { name: 'TypeError' });
  const closed = new WritableStream<Uint8Array>();
  await closed.close();
  await t.rejects(heap.writeTo(closed, 0), {
    message: 'the stream was closed before the profile was written',
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.strictSame(unhandled, []);
  t.equal(status().state, 'running');
});

t.test('a signal ends the wait', async (t) => {
  const reason = new Error('enough');
  const aborted = AbortSignal.abort(reason);
  for (const format of ['pprof', 'text', 'folded'] as const) {
    await t.rejects(heap.encode({ format, signal: aborted }), reason, format);
  }
  const untouched = new Writable({ write: () => t.fail('nothing is written') });
  await t.rejects(heap.writeTo(untouched, 0, { signal: aborted }), reason);

  const stuck: [name: string, sink: Sink][] = [
    ['Node.js', new Writable({ write: () => {} })],
    ['web', new WritableStream({ write: () => new Promise(() => {}) })],
  ];
  for (const [name, sink] of stuck) {
    const abort = new AbortController();
    const writing = heap.writeTo(sink, 1, { signal: abort.signal });
    const rejected = t.rejects(writing, reason, `a ${name} stream that takes nothing`);
    setTimeout(() => abort.abort(reason), 50);
    await rejected;
  }

  const calm = new AbortController();
  t.ok((await heap.encode({ signal: calm.signal })).length > 0);
  calm.abort();
});

t.test('hazard: a stream that fails after the wait was given up ends the process', async (t) => {
  const uncaught: unknown[] = [];
  const listener = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', listener);
  process.on('unhandledRejection', listener);
  t.teardown(() => {
    process.off('uncaughtException', listener);
    process.off('unhandledRejection', listener);
  });
  let fail: (error: Error) => void = () => {};
  const sink = new Writable({
    write: (_chunk, _encoding, done) => {
      fail = done;
    },
  });
  await t.rejects(heap.writeTo(sink, 1, { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  fail(new Error('too late'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.strictSame(uncaught, []);
  t.equal(sink.listenerCount('error') + sink.listenerCount('close'), 0, 'no listener is left behind');
});

import { Readable, Writable } from 'node:stream';
import t from 'tap';
import { lookup, MemProfile, readMemStats, readRecords, start, status, stop } from '#dist/index.js';

/** Calls that types forbid. */
// biome-ignore lint/suspicious/noExplicitAny: that is what is tested
type Anything = any;

interface Case {
  name: string;
  call: (value: Anything) => unknown;
  /** Not of the right type: `TypeError`, `ERR_MEMPROF_INVALID_ARG_TYPE`. */
  wrong: readonly unknown[];
  /** Of the right type, but not accepted: `RangeError`, `ERR_MEMPROF_OUT_OF_RANGE`. */
  outside?: readonly unknown[];
  /** What the messages must say. */
  says: readonly RegExp[];
}

const NO_NUMBERS = [null, '', '1', 'x'.repeat(1000), true, {}, [], [1], () => 1, Symbol('s'), 1n];
const NO_INTEGERS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5, -0.5];
const NO_BOOLEANS = [null, 0, 1, '', 'true', {}, [], () => true, Symbol('s'), 1n];
const NO_STRINGS = [null, 0, 1, true, {}, [], ['process'], () => 'process', Symbol('s'), 1n];
const NO_OBJECTS = [null, 0, 1, '', 'options', true, () => ({}), Symbol('s'), 1n];

const MIB = 1024 * 1024;
const heap = lookup('heap');
const sink = () =>
  new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });

const cases: readonly Case[] = [
  {
    name: 'start(options)',
    call: (options) => start(options),
    wrong: NO_OBJECTS,
    says: [/^options must be an object/],
  },
  {
    name: 'start({ sampleInterval })',
    call: (sampleInterval) => start({ sampleInterval }),
    wrong: NO_NUMBERS,
    outside: [...NO_INTEGERS, 0, -1, 2 ** 30 + 1, 2 ** 53],
    says: [/sampleInterval must be a number/, /sampleInterval must be an integer from 1 to 1073741824/],
  },
  {
    name: 'start({ stackDepth })',
    call: (stackDepth) => start({ stackDepth }),
    wrong: NO_NUMBERS,
    outside: [...NO_INTEGERS, 0, -1, 513, 2 ** 32 + 1],
    says: [/stackDepth must be a number/, /stackDepth must be an integer from 1 to 512/],
  },
  {
    name: 'start({ maxTableBytes })',
    call: (maxTableBytes) => start({ maxTableBytes }),
    wrong: NO_NUMBERS,
    outside: [...NO_INTEGERS, 0, -1, MIB - 1, 1024 * MIB + 1],
    says: [/maxTableBytes must be a number/, /maxTableBytes must be an integer from 1048576 to 1073741824/],
  },
  {
    name: 'start({ reset })',
    call: (reset) => start({ reset }),
    wrong: NO_BOOLEANS,
    says: [/reset must be true or false/],
  },
  {
    name: 'MemProfile(records)',
    call: (records) => MemProfile(records, true),
    wrong: [
      undefined,
      0,
      10,
      '',
      true,
      {},
      { length: 1000 },
      new Float64Array(1000),
      () => [],
      Symbol('s'),
      1n,
    ],
    says: [/^records must be an array or null/],
  },
  {
    name: 'MemProfile(…, inuseZero)',
    call: (inuseZero) => MemProfile(null, inuseZero),
    wrong: [undefined, ...NO_BOOLEANS],
    says: [/^inuseZero must be true or false/],
  },
  {
    name: 'readRecords(inuseZero)',
    call: (inuseZero) => readRecords(inuseZero),
    wrong: [undefined, ...NO_BOOLEANS],
    says: [/^inuseZero must be true or false/],
  },
  {
    name: 'readMemStats(options)',
    call: (options) => readMemStats(options),
    wrong: NO_OBJECTS,
    says: [/^options must be an object/],
  },
  {
    name: 'readMemStats({ scope })',
    call: (scope) => readMemStats({ scope }),
    wrong: NO_STRINGS,
    outside: ['', 'Process', 'thread', 'x'.repeat(1000)],
    says: [/scope must be a string/, /scope must be 'process' or 'isolate'/],
  },
  {
    name: 'lookup(name)',
    call: (name) => lookup(name),
    wrong: [undefined, ...NO_STRINGS, ['heap']],
    says: [/^name must be a string/],
  },
  {
    name: 'writeTo(sink)',
    call: (value) => heap.writeTo(value, 1),
    wrong: [undefined, ...NO_OBJECTS, {}, [], { write: true }, new Readable({ read() {} })],
    says: [/^sink must be a Node\.js Writable/],
  },
  {
    name: 'writeTo(…, debug)',
    call: (debug) => heap.writeTo(sink(), debug),
    wrong: [undefined, ...NO_NUMBERS],
    outside: [...NO_INTEGERS, 2 ** 60],
    says: [/^debug must be a number/, /^debug must be an integer/],
  },
  {
    name: 'writeTo(…, options)',
    call: (options) => heap.writeTo(sink(), 1, options),
    wrong: NO_OBJECTS,
    says: [/^options must be an object/],
  },
  {
    name: 'writeTo(…, { header })',
    call: (header) => heap.writeTo(sink(), 1, { header }),
    wrong: NO_STRINGS,
    outside: ['', 'heap_v1', 'growth'],
    says: [/header must be a string/, /header must be 'heap' or 'heap_v2'/],
  },
];

/** What a call throws or rejects with. */
async function failureOf(call: () => unknown): Promise<Anything> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

for (const { name, call, wrong, outside = [], says } of cases) {
  t.test(name, async (t) => {
    const before = status();
    const inputs = [
      ...wrong.map((value) => ({
        value,
        type: TypeError,
        code: 'ERR_MEMPROF_INVALID_ARG_TYPE',
        says: says[0]!,
      })),
      ...outside.map((value) => ({
        value,
        type: RangeError,
        code: 'ERR_MEMPROF_OUT_OF_RANGE',
        says: says[1]!,
      })),
    ];
    for (const { value, type, code, says } of inputs) {
      const error = await failureOf(() => call(value));
      const shown = typeof value === 'object' ? JSON.stringify(value) : String(value).slice(0, 40);
      if (!(error instanceof type)) {
        t.fail(`${shown}: a ${type.name} is due`, { error });
        continue;
      }
      t.equal((error as Anything).code, code, `${shown}: code`);
      t.match(error.message, says, `${shown}: says what is accepted`);
      t.ok(error.message.length < 160, `${shown}: and that in short`, { message: error.message });
    }
    t.match(status(), { state: 'stopped', heap: { harvests: before.heap.harvests } }, 'nothing was started');
  });
}

t.test('good input at the edges', async (t) => {
  for (const options of [undefined, {}, { sampleInterval: 1 }, { sampleInterval: 2 ** 30 }]) {
    start(options);
    stop();
    start({ reset: true });
    stop();
  }
  for (const stackDepth of [1, 512]) {
    start({ stackDepth, reset: true });
    t.equal(status().heap.stackDepth, stackDepth);
    stop();
  }
  for (const maxTableBytes of [1024 * MIB, 32 * MIB]) {
    start({ maxTableBytes, reset: true });
    t.equal(status().tables.maxBytes, maxTableBytes);
    stop();
  }
  readMemStats(undefined);
  readMemStats({ scope: 'isolate' });
  t.equal(status().state, 'stopped');
});

t.test('names of profiles', async (t) => {
  t.equal(lookup('heap')?.name, 'heap');
  t.equal(lookup('allocs')?.name, 'allocs');
  for (const name of [
    'nope',
    '',
    'Heap',
    'heap ',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ]) {
    t.equal(lookup(name), undefined, `${JSON.stringify(name)} is none`);
  }
});

const closedLongAgo = sink().destroy();
const failingSinks: readonly { name: string; make: () => Writable; error: RegExp }[] = [
  {
    name: 'its write fails at once',
    make: () =>
      new Writable({
        write(_chunk, _encoding, done) {
          done(new Error('no room'));
        },
      }),
    error: /no room/,
  },
  {
    name: 'its write fails later',
    make: () =>
      new Writable({
        write(_chunk, _encoding, done) {
          setTimeout(done, 5, new Error('no room any more'));
        },
      }),
    error: /no room any more/,
  },
  {
    name: 'its write throws',
    make: () =>
      new Writable({
        write() {
          throw new Error('broken stream');
        },
      }),
    error: /broken stream/,
  },
  {
    name: 'it is destroyed before',
    make: () => sink().destroy(),
    error: /destroyed|closed/,
  },
  {
    name: 'it was closed long ago',
    make: () => closedLongAgo,
    error: /destroyed|closed/,
  },
  {
    name: 'it is destroyed with an error before',
    make: () =>
      sink()
        .on('error', () => {})
        .destroy(new Error('gone')),
    error: /destroyed|gone/,
  },
  {
    name: 'it is ended before',
    make: () => sink().end(),
    error: /write after end/,
  },
  {
    name: 'it closes while it is written to',
    make: () =>
      new Writable({
        write() {
          setTimeout(() => this.destroy(), 5);
        },
      }),
    error: /closed|destroyed|[Pp]remature/,
  },
  {
    name: 'it is destroyed with an error while it is written to',
    make: () =>
      new Writable({
        write() {
          setTimeout(() => this.destroy(new Error('pulled out')), 5);
        },
      }),
    error: /pulled out/,
  },
];

t.test('a failing sink', async (t) => {
  const kept: unknown[] = [];
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  start({ sampleInterval: 4096, reset: true });
  t.teardown(() => {
    stop();
    process.off('uncaughtException', onUncaught);
    process.off('unhandledRejection', onUncaught);
  });

  for (const { name, make, error } of failingSinks) {
    t.test(name, async (t) => {
      const target = make();
      const listeners = target.listenerCount('error') + target.listenerCount('close');
      await t.rejects(heap.writeTo(target, 1), { message: error });
      await new Promise((resolve) => setTimeout(resolve, 20));
      t.strictSame(uncaught.splice(0), [], 'nothing fails behind our back');
      t.equal(
        target.listenerCount('error') + target.listenerCount('close'),
        listeners,
        'no listener is left behind',
      );
      t.equal(status().state, 'running');
      const seen = status().heap.samplesSeen;
      for (let n = 0; n < 1000; n++) kept.push(new Array(100));
      gc!();
      t.ok(status().heap.samplesSeen > seen, 'the profiler runs on');
    });
  }

  t.test('many writers on one sink, and a good one afterwards', async (t) => {
    const bad = failingSinks[1]!.make();
    const results = await Promise.allSettled([1, 2, 3].map(() => heap.writeTo(bad, 1)));
    t.strictSame(
      results.map((each) => each.status),
      ['rejected', 'rejected', 'rejected'],
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.strictSame(uncaught.splice(0), []);
    const chunks: Buffer[] = [];
    const good = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    });
    await heap.writeTo(good, 1);
    t.match(Buffer.concat(chunks).toString(), /^heap profile: /);
    t.equal(good.writableEnded, false, 'it is not ended');
    t.equal(good.destroyed, false);
  });
});

'use strict';
// Runs code whose stacks have unusual frames, while memprof and V8 both take each sample and memprof compares the two.
// usage: direct-samples.cjs ROUNDS MODE [SAMPLE INTERVAL [STACK DEPTH]]
// MODE "compare" does just that, and "worker" does it in a worker. With "doubt", V8 takes only the samples that memprof
// needs it for, and memprof is made to act in the middle as if a comparison had failed. STACK DEPTH 0 is the default, at
// which V8 cuts its stacks where memprof does not.
const { EventEmitter } = require('node:events');
const { Readable } = require('node:stream');
const vm = require('node:vm');
const { Worker, isMainThread } = require('node:worker_threads');
const memprof = require('../../dist');
const { native } = require('../../dist/addon/native.js');
const { figuresOf, report } = require('./support/report.cjs');

const [rounds, mode, sampleInterval, stackDepth] = [
  Number(process.argv[2]),
  process.argv[3],
  Number(process.argv[4] ?? 2048),
  Number(process.argv[5] ?? 64),
];

const sink = { last: undefined };

function make(n) {
  const made = [];
  for (let i = 0; i < n; i++) made.push({ i, text: `x${i}` });
  return made;
}

function* generate() {
  for (let i = 0; i < 50; i++) yield { i, list: [i] };
}

async function wait() {
  for (let i = 0; i < 20; i++) {
    await null;
    sink.last = make(20);
  }
}

async function* generateLater() {
  for (let i = 0; i < 20; i++) yield make(10);
}

class Shape {
  static #made = 0;
  parts = make(5);
  constructor() {
    Shape.#made++;
    this.more = make(5);
  }
  get area() {
    return make(5);
  }
  set area(n) {
    sink.last = make(n);
  }
  static count() {
    return make(Shape.#made > 0 ? 5 : 0);
  }
}

// (module (import "env" "f" (func)) (func (export "g") call 0))
const wasmModule =
  typeof WebAssembly === 'undefined'
    ? undefined
    : new WebAssembly.Module(
        new Uint8Array([
          0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 9, 1, 3, 101, 110, 118, 1, 102, 0, 0, 3, 2, 1, 0,
          7, 5, 1, 1, 103, 0, 1, 10, 6, 1, 4, 0, 16, 0, 11,
        ]),
      );
const withFunction = (f) => new WebAssembly.Instance(wasmModule, { env: { f } }).exports.g;
const callWasm =
  wasmModule &&
  withFunction(function fromWasm() {
    sink.last = make(30);
  });

// Stack switching, where this Node.js has it: the frames of `suspends` and of its caller lie on a stack of their own.
async function switchStacks() {
  if (wasmModule === undefined || WebAssembly.Suspending === undefined) return;
  const suspending = new WebAssembly.Suspending(async function suspends() {
    sink.last = make(20);
    await null;
    sink.last = make(20);
  });
  const promising = WebAssembly.promising(withFunction(suspending));
  await Promise.all([promising(), promising(), promising()]);
  sink.last = make(5);
}

const proxy = new Proxy(
  {},
  {
    get: () => make(3),
    has: () => {
      sink.last = make(2);
      return true;
    },
    ownKeys: () => ['a'],
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: make(2) }),
  },
);

const recurse = (n) => (n === 0 ? make(3) : recurse(n - 1));
const context = vm.createContext({ make, out: null });

function callbacks() {
  sink.last = [1, 2, 3]
    .map((i) => make(i))
    .filter(Boolean)
    .flatMap((x) => [x, make(1)]);
  [3, 1, 2].sort((a, b) => {
    sink.last = make(1);
    return a - b;
  });
  'abcabc'.replace(/b/g, () => {
    sink.last = make(2);
    return 'z';
  });
  JSON.stringify({ toJSON: () => make(3) });
  JSON.parse('[1,{"a":2}]', (_key, v) => ({ v }));
  new Map([[1, make(2)]]).forEach(() => {
    sink.last = make(1);
  });
  sink.last = Array.from({ length: 5 }, (_, i) => make(i));
  sink.last = `${{ toString: () => `${make(2)}` }}`;
}

function evaluated() {
  vm.runInContext('out = make(10); [1, 2].forEach(function inContext(x) { out = make(x) })', context);
  sink.last = vm.runInNewContext('make(4)', { make }, { filename: 'new-context.js' });
  // biome-ignore lint/security/noGlobalEval: that is what it is about
  sink.last = eval('make(4)');
  sink.last = new Function('make', 'return make(6)\n//# sourceURL=called-otherwise.js')(make);
}

function deoptimised(n) {
  const shapes = [{ a: 1 }, { b: 2, a: 1 }, { c: 3, a: 1 }, make(1)];
  let sum = 0;
  for (let i = 0; i < 2000; i++) sum += shapes[i === n ? 3 : i % 3].a ?? make(2).length;
  sink.last = (function inner(...all) {
    // biome-ignore lint/complexity/noArguments: that is what it is about
    return [all, arguments, { sum }];
  })(n, sum);
}

function overflowing() {
  try {
    (function deeper() {
      sink.last = [deeper()];
    })();
  } catch (error) {
    sink.last = error.stack;
  }
}

async function events() {
  const emitter = new EventEmitter();
  emitter.on('x', () => {
    sink.last = make(3);
  });
  emitter.emit('x');
  await new Promise((resolve) => {
    sink.last = make(2);
    setImmediate(resolve);
  });
  await new Promise((resolve) => process.nextTick(resolve));
  await new Promise((resolve) => {
    Readable.from([make(3)])
      .on('data', () => {
        sink.last = make(2);
      })
      .on('end', resolve);
  });
}

async function round(n) {
  for (const made of generate()) sink.last = made;
  await wait();
  for await (const made of generateLater()) sink.last = made;
  sink.last = new Shape().area;
  new Shape().area = 5;
  sink.last = Shape.count();
  sink.last = Reflect.construct(Shape, []);
  sink.last = make.bind(null, 5)();
  callbacks();
  for (let i = 0; wasmModule !== undefined && i < 20; i++) callWasm();
  await switchStacks();
  sink.last = [proxy.any, 'a' in proxy, { ...proxy }, Object.keys(proxy)];
  sink.last = [recurse(100), recurse(900)];
  evaluated();
  deoptimised(n);
  overflowing();
  await events();
  sink.last = [
    structuredClone(make(5)),
    Symbol.for(`s${n}`),
    /(\d+)/u.exec(`a${n}`),
    BigInt(n) ** 20n,
    new Uint8Array(40),
  ];
}

const kept = new Array(4000).fill(undefined);
let length = 0;
function keep() {
  for (let i = 0; i < 2000; i++) kept[length++] = new Array(10).fill(i);
}

async function main() {
  memprof.start({ directSamples: true, sampleInterval, ...(stackDepth === 0 ? {} : { stackDepth }) });
  native().compareAllSamples(mode !== 'doubt');
  // Where much is allocated in between, the proof is over before all samples are compared.
  const { directSamples: early, v8Samples: earlyOfV8 } = memprof.status().internal;
  for (let n = 0; n < rounds; n++) {
    await round(n);
    if (mode === 'doubt' && n === rounds >> 1) {
      keep();
      gc();
      // A collection has no time for all names, and after a doubt nobody asks for the others any more. A reader does.
      memprof.readRecords(true);
      native().doubtSamples();
      gc();
      keep();
    }
  }
  gc();
  gc();
  const keptThen = figuresOf('keep');
  kept.fill(undefined);
  sink.last = undefined;
  gc();
  gc();
  const keptAfterwards = figuresOf('keep');
  const { heap, internal } = memprof.status();
  const { stacksCompared, stacksAskedOfV8, stacksReadInPlace, directSamples, v8Samples } = internal;
  report({
    ...{
      problem: heap.sourceProblem,
      stacksCompared,
      stacksAskedOfV8,
      stacksReadInPlace,
      directSamples,
      v8Samples,
      alone: early - earlyOfV8,
    },
    ...{ keptThen, keptAfterwards, length },
  });
  memprof.stop();
}

if (mode === 'worker' && isMainThread) new Worker(__filename, { argv: process.argv.slice(2) });
else main();

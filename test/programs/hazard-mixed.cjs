'use strict';
// All hazards of the heap at the same time, in an order that a seed decides: other samplers, workers that end in every
// way, starts and stops, readers, and frames of every kind. Arguments: turns, seed, and "steering" where the
// sample interval is to change as well, or "call-sites" where samples are to have lines, beside CPU profiles.
const inspector = require('node:inspector');
const { Writable } = require('node:stream');
const v8 = require('node:v8');
const vm = require('node:vm');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const memprof = require('../../dist');
const { report } = require('./support/report.cjs');

const [turns, seed] = process.argv.slice(2).map(Number);
const steering = process.argv[4] === 'steering';
const callSites = process.argv[4] === 'call-sites';

// Mulberry32.
let state = isMainThread ? seed : workerData.seed;
function random(n) {
  state = (state + 0x6d2b79f5) | 0;
  let x = Math.imul(state ^ (state >>> 15), state | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
}
const pick = (list) => list[random(list.length)];

/** Called in the middle of everything that the program does: between two allocations of any frame. */
let interruption;
function interrupt() {
  const act = interruption;
  interruption = undefined;
  act?.();
}

const recent = [];
function make(n) {
  for (let i = 0; i < n; i++) {
    recent[(i * 31) % 3000] = { i, text: `made ${i}`, more: [i] };
    if (i === n >> 1) interrupt();
  }
  return recent;
}

// (module (import "env" "f" (func)) (func (export "g") call 0))
const wasmBytes = [
  [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 9, 1, 3, 101, 110, 118, 1, 102, 0, 0, 3, 2, 1, 0],
  [7, 5, 1, 1, 103, 0, 1, 10, 6, 1, 4, 0, 16, 0, 11],
].flat();
const wasmModule = new WebAssembly.Module(new Uint8Array(wasmBytes));
const wasm = new WebAssembly.Instance(wasmModule, { env: { f: () => make(100) } });

function* generate() {
  for (let i = 0; i < 20; i++) yield make(20);
}
async function* generateLater() {
  for (let i = 0; i < 5; i++) yield make(20);
}

function deoptimised() {
  const shapes = [{ a: 1 }, { b: 2, a: 1 }, { c: 3, a: 1 }, make(1)];
  const odd = random(2000);
  let sum = 0;
  for (let i = 0; i < 2000; i++) sum += shapes[i === odd ? 3 : i % 3].a ?? make(2).length;
  return sum;
}

const context = vm.createContext({ make });
const recurse = (n) => (n === 0 ? make(10) : recurse(n - 1));

const frames = {
  plain: () => make(500),
  wasm: () => wasm.exports.g(),
  // Stack switching, where this Node.js has it.
  async suspended() {
    if (WebAssembly.Suspending === undefined) return;
    const f = new WebAssembly.Suspending(async () => {
      await null;
      make(50);
    });
    const { g } = new WebAssembly.Instance(wasmModule, { env: { f } }).exports;
    await WebAssembly.promising(g)();
    make(20);
  },
  generators() {
    for (const _ of generate());
  },
  async later() {
    for await (const _ of generateLater());
  },
  deoptimised,
  deep: () => recurse(800),
  overflowing() {
    try {
      (function deeper() {
        return [make(1), deeper()];
      })();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  },
  contexts() {
    vm.runInContext('[1, 2].forEach(function inContext(x) { make(x * 50) })', context);
    vm.runInNewContext('make(50)', { make });
  },
  evaluated: () => new Function('make', `${'\n'.repeat(random(50))}return make(50)`)(make),
  callbacks() {
    [3, 1, 2].sort((a, b) => {
      make(20);
      return a - b;
    });
    JSON.stringify({ toJSON: () => make(20).length });
    'abcabc'.replace(/b/g, () => `${make(20).length}`);
    Reflect.construct(
      class Shape {
        parts = make(20);
      },
      [],
    );
  },
};

const readers = [
  () => memprof.readRecords(true),
  () => memprof.MemProfile(new Array(1000), false),
  () => memprof.status(),
  () => memprof.readMemStats(),
  () =>
    memprof.lookup('heap').writeTo(new Writable({ write: (_chunk, _encoding, done) => done() }), random(2)),
];

const session = new inspector.Session();
session.connect();
// Commands to an inspector of the same thread are carried out at once.
function post(method, params) {
  try {
    session.post(method, params, () => {});
  } catch (error) {
    // The answer to getSamplingProfile is empty where stacks are deeper than it can nest.
    if (!(error instanceof SyntaxError)) throw error;
  }
}

// V8 knows one sampler for an isolate, and @datadog/pprof and Node.js itself make the same three calls of V8's as the
// inspector does.
const others = [
  () => post('HeapProfiler.startSampling', { samplingInterval: pick([512, 4096, 2 ** 19]) }),
  () =>
    post('HeapProfiler.startSampling', { samplingInterval: 4096, includeObjectsCollectedByMinorGC: true }),
  () => post('HeapProfiler.stopSampling'),
  () => {
    post('HeapProfiler.stopSampling');
    post('HeapProfiler.startSampling', { samplingInterval: 8192 });
  },
  () => post('HeapProfiler.getSamplingProfile'),
  () => {
    if (v8.startHeapProfile === undefined) return;
    let theirs;
    try {
      theirs = v8.startHeapProfile({ sampleInterval: 8192 });
    } catch {
      return; // somebody samples
    }
    make(1000);
    try {
      theirs.stop();
    } catch {
      // Somebody else has stopped it.
    }
  },
];
if (callSites) {
  post('Profiler.enable');
  others.push(
    () => post('Profiler.start'),
    () => post('Profiler.stop'),
  );
}

function startAnyhow() {
  try {
    const lines = callSites && { callSites: random(4) !== 0 };
    memprof.start({ sampleInterval: 4096, stackDepth: pick([8, 64, 256]), ...lines });
  } catch (error) {
    if (error.code !== 'ERR_MEMPROF_SAMPLER_BUSY') throw error;
  }
}
const lifecycle = [
  startAnyhow,
  startAnyhow,
  () => memprof.stop(),
  () => {
    for (let i = 0; i < 20; i++) {
      memprof.stop();
      startAnyhow();
      make(20);
    }
  },
  () => {
    if (!steering) return;
    try {
      memprof.setSampleInterval(pick([1024, 16384]));
    } catch (error) {
      if (!error.code.startsWith('ERR_MEMPROF_')) throw error;
    }
  },
];
const collections = [() => gc(), () => gc({ type: 'minor' })];

const workersEnd = {
  terminated() {
    parentPort.postMessage('ready');
    for (;;) make(1000);
  },
  outOfHeap() {
    const kept = [];
    for (let i = 0; ; i++) kept.push({ i, text: `kept ${i}`, more: [i, i] });
  },
  exitInHook() {
    const registry = new FinalizationRegistry(() => process.exit(3));
    (() => registry.register({}, 0))();
    const turn = () => {
      make(5000);
      gc();
      setImmediate(turn);
    };
    turn();
  },
  exitInSort() {
    interruption = () => process.exit(3);
    frames.callbacks();
  },
  displaced() {
    for (let i = 0; i < 20; i++) {
      pick(others)();
      make(500);
    }
    parentPort.postMessage('ready');
  },
};

async function oneWorker() {
  const end = pick(Object.keys(workersEnd));
  const worker = new Worker(__filename, {
    workerData: { end, seed: random(2 ** 31) },
    resourceLimits: { maxOldGenerationSizeMb: 20 },
  });
  let error;
  worker.on('error', (each) => {
    error = each;
  });
  const ended = new Promise((resolve) => worker.on('exit', resolve));
  if (end === 'terminated') {
    await Promise.race([new Promise((resolve) => worker.on('message', resolve)), ended]);
    await new Promise((resolve) => setTimeout(resolve, random(5)));
    await worker.terminate();
  }
  await ended;
  if (error !== undefined && error.code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
  counts[end] = (counts[end] ?? 0) + 1;
}

const counts = { interruptions: 0 };

async function main() {
  process.on('warning', () => {});
  startAnyhow();
  let worker = Promise.resolve();
  let busy = false;
  for (let turn = 0; turn < turns; turn++) {
    interruption = () => {
      counts.interruptions++;
      pick(pick([readers, others, lifecycle, collections]))();
    };
    if (random(3) === 0) interruption = undefined;
    const frame = pick(Object.keys(frames));
    await frames[frame]();
    interrupt();
    if (random(8) === 0) pick(pick([readers, others, lifecycle, collections]))();
    if (!busy && random(20) === 0) {
      busy = true;
      worker = oneWorker().finally(() => {
        busy = false;
      });
    }
    if (random(10) === 0) await new Promise(setImmediate);
  }
  await worker;
  // Afterwards all is as before.
  interruption = undefined;
  post('HeapProfiler.stopSampling');
  if (callSites) post('Profiler.stop');
  memprof.stop();
  const linesBefore = memprof.status().callSites.withLines;
  memprof.start({ sampleInterval: 4096, ...(callSites && { callSites }) });
  for (let i = 0; i < 100; i++) make(500);
  gc();
  const { heap, callSites: lines } = memprof.status();
  memprof.stop();
  const withLines = lines.withLines - linesBefore;
  report({ counts, sourceAtEnd: heap.source, linesProblem: lines.problem, linesBefore, withLines });
}

if (isMainThread) main();
else {
  startAnyhow();
  workersEnd[workerData.end]();
}

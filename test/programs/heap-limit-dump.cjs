'use strict';
// A program, or its workers, that run out of heap. The argument is JSON, see `what`.
const { Worker, isMainThread, workerData } = require('node:worker_threads');

const what = isMainThread ? JSON.parse(process.argv[2]) : workerData;
const {
  start, // options of start(); left out: without memprof
  reads = 0, // profiles read on the way
  names, // a file: functions whose names are not meant for a text keep something, and the usual text goes there
  workers = 0, // that run out of heap, one after the other; else the main thread does
  megabytes = 24, // of each worker
  together = false, // all workers at once
  way = 'objects', // or 'strings', 'one' array that grows
  inherit = false, // workers start with what they inherit
  hide = false, // Node's handler
  stop = false, // before the end
  sudden = false, // as if it ran out of heap long before the next collection, or 'inside' memprof's work at that
  remove, // the directory of dumps
} = what;

const memprof = start === undefined ? undefined : require('../../dist');
if (memprof !== undefined) {
  if (hide) require('../../dist/addon/native').native().hideNodesOutOfMemoryHandler();
  memprof.start(inherit && !isMainThread ? undefined : start);
}

globalThis.kept = [];
const { kept } = globalThis;

// Generators are never inlined, and so count under their own names.
function* keepsObjects(n) {
  for (let i = 1; ; i++) {
    kept.push({ i, text: `kept ${i}`, more: [i, i] });
    if (i % n === 0) yield;
  }
}

function* keepsStrings(n) {
  for (let i = 1; ; i++) {
    kept.push(JSON.stringify({ text: 'x'.repeat(1000 + (i % 100)) }));
    if (i % (n / 100) === 0) yield;
  }
}

function* keepsOne(n) {
  for (let i = 1; ; i++) {
    kept.push(i + 0.5);
    if (i % (n * 10) === 0) yield;
  }
}

function churns(n) {
  let last;
  for (let i = 0; i < n; i++) last = { i, text: `churned ${i}`, more: [last === undefined] };
  return last;
}

const hostile = [
  'line\nbreak',
  'tab\ttab',
  '%s%n%d%s%s%s',
  'x'.repeat(10000),
  '\0\x01\x1b[31m\x7f\x85',
  '\u2028\u202e\ud800',
  '# runtime.MemStats',
  '0: 0 [0: 0] @ 0x1',
  'grüße 🙂',
  'ü'.repeat(4000),
];

/** As names of functions, and of files. */
function keepsUnderNames() {
  for (const name of hostile) {
    const source = `({ ${JSON.stringify(name)}: function () { for (let i = 0; i < 3000; i++) kept.push({ i }); } })`;
    require('node:vm')
      .runInThisContext(source, { filename: `/app/${name}.js` })
      [name]();
  }
  gc();
  gc();
  const { formatHeapText } = require('../../dist/formats/gotext/encode');
  const { sampleInterval } = memprof.status().heap;
  const text = formatHeapText(memprof.readRecords(true), memprof.readMemStats(), { sampleInterval });
  require('node:fs').writeFileSync(names, text);
}

function endsSuddenly() {
  keepsObjects(20_000).next();
  const known = keepsObjects(50_000);
  // A reader has functions described: the first one is, the second one is not.
  gc();
  memprof.readRecords(true);
  known.next();
  (function unknownYet() {
    for (let i = 0; i < 50_000; i++) kept.push({ i });
  })();
  require('../../dist/addon/native')
    .native()
    .pretendOutOfMemory(sudden === 'inside');
  gc();
}

function runsOut() {
  if (sudden) endsSuddenly();
  if (names !== undefined) keepsUnderNames();
  const grow = { objects: keepsObjects, strings: keepsStrings, one: keepsOne }[way](1000);
  for (let round = 0; ; round++) {
    grow.next();
    churns(1000);
    if (round >= reads || memprof === undefined) continue;
    memprof.MemProfile(new Array(10000), true);
  }
}

async function endOfWorker() {
  const worker = new Worker(__filename, {
    workerData: { ...what, workers: 0 },
    // What lives in a young generation of the usual size is more than all that Node.js allows a worker for its end: the
    // process would die with it, with or without memprof.
    resourceLimits: { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: 2 },
  });
  let code;
  worker.on('error', (error) => {
    code = error.code;
  });
  const exit = await new Promise((resolve) => worker.on('exit', resolve));
  return `${code} ${exit}`;
}

async function inWorkers() {
  const ends = [];
  for (let i = 0; i < workers; i++) {
    const end = endOfWorker();
    ends.push(together ? end : await end);
  }
  console.log(JSON.stringify(await Promise.all(ends)));
}

if (workers > 0) inWorkers();
else {
  if (remove !== undefined) require('node:fs').rmSync(remove, { recursive: true });
  if (stop) memprof.stop();
  runsOut();
}

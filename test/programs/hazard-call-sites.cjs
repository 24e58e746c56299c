'use strict';
// Lines of calls in situations that are hard on V8's CPU profiler.
// usage: hazard-call-sites.cjs before|later|cycles|workers|full
const { once } = require('node:events');
const inspector = require('node:inspector');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const memprof = require('../../dist');

const mode = isMainThread ? process.argv[2] : workerData;
const options = { callSites: true, sampleInterval: 4096, maxOverhead: 1 };
const kept = [];

// Of what Maglev compiles in the body of a loop, lines are not known.
function one(i) {
  return { i, list: [i, i] };
}

function make(n) {
  const made = [];
  for (let i = 0; i < n; i++) made.push(one(i));
  return made;
}

function allocate(rounds) {
  for (let i = 0; i < rounds; i++) kept[i % 64] = make(200);
}

const session = new inspector.Session();
const post = (method) =>
  new Promise((resolve, reject) =>
    session.post(method, (error, result) => (error ? reject(error) : resolve(result))),
  );

function say(more) {
  const { callSites, heap } = memprof.status();
  // So that no collection publishes more meanwhile.
  memprof.stop();
  const records = memprof.readRecords(true);
  const negative = records.filter((record) => record.inUseBytes() < 0).length;
  const allocObjects = records.reduce((sum, { allocObjects }) => sum + allocObjects, 0);
  const published = memprof.status().heap.samplesPublished;
  console.log(JSON.stringify({ callSites, source: heap.source, negative, allocObjects, published, ...more }));
}

async function cpuProfile(during) {
  session.connect();
  await post('Profiler.enable');
  await post('Profiler.start');
  await during();
  const { profile } = await post('Profiler.stop');
  session.disconnect();
  return profile.samples.length;
}

const modes = {
  async before() {
    const samples = await cpuProfile(() => {
      memprof.start(options);
      allocate(2000);
    });
    say({ samples });
  },
  async later() {
    memprof.start(options);
    allocate(2000);
    const wasRunning = memprof.status().callSites.running;
    const samples = await cpuProfile(() => {
      for (let i = 0; i < 10_000 && memprof.status().callSites.running; i++) allocate(500);
    });
    const { withLines } = memprof.status().callSites;
    allocate(2000);
    say({ wasRunning, samples, withLines });
  },
  cycles() {
    const problems = new Set();
    for (let i = 0; i < 25; i++) {
      memprof.start(options);
      allocate(100);
      if (i % 2 === 0) memprof.readRecords(true);
      problems.add(memprof.status().callSites.problem);
      memprof.stop();
    }
    memprof.start(options);
    allocate(500);
    say({ problems: [...problems] });
  },
  async workers() {
    memprof.start(options);
    const problems = [];
    for (let i = 0; i < 4; i++) {
      const workers = Array.from({ length: 3 }, () => new Worker(__filename, { workerData: 'worker' }));
      const messages = await Promise.all(workers.map((worker) => once(worker, 'message')));
      problems.push(...messages.map(([problem]) => problem));
      allocate(200);
      // In the middle of it.
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
    say({ problems });
  },
  worker() {
    memprof.start(options);
    allocate(100);
    parentPort.postMessage(memprof.status().callSites.problem);
    for (;;) allocate(100);
  },
  async full() {
    memprof.start(options);
    const worker = new Worker(__filename, {
      workerData: 'filler',
      resourceLimits: { maxOldGenerationSizeMb: 24 },
    });
    const [error] = await once(worker, 'error');
    allocate(500);
    say({ code: error.code });
  },
  filler() {
    memprof.start(options);
    const all = [];
    for (;;) all.push(make(100));
  },
};

modes[mode]();

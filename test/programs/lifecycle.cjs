'use strict';
// One scenario of the profiler's life a run, by its name.
const inspector = require('node:inspector');
const { PassThrough } = require('node:stream');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { MemProfile, lookup, readMemStats, readRecords, start, status, stop } = require('../../dist');
const { plainRecords, print } = require('./support/records.cjs');
const { Thing } = require('./support/thing.cjs');

const INTERVAL = 256;

let kept = [];
function keep() {
  for (let n = 0; n < 2000; n++) kept.push(new Thing(n));
}
function keepLater() {
  for (let n = 0; n < 2000; n++) kept.push(new Thing(n));
}

// Twice: V8 keeps what was allocated while it marked.
function collect() {
  gc();
  gc();
}

/** What a call throws: its class, code and message. */
function thrown(call) {
  try {
    call();
    return null;
  } catch (error) {
    return { name: error.name, code: error.code, message: error.message };
  }
}

/** Runs a method of the inspector in this thread. Answers at once. */
function post(session, method, parameters) {
  let answer;
  session.post(method, parameters, (error, result) => {
    answer = error ? { error: error.message } : result;
  });
  return answer;
}

function connect() {
  const session = new inspector.Session();
  session.connect();
  return session;
}

const scenarios = {
  async readBeforeStart() {
    const sink = new PassThrough();
    await lookup('heap').writeTo(sink, 1);
    return {
      result: MemProfile(null, true),
      records: readRecords(true).length,
      counts: [lookup('heap').count(), lookup('allocs').count()],
      header: sink.read().toString().split('\n')[0],
      mallocs: readMemStats().mallocs,
      status: status(),
    };
  },

  stopBeforeStart() {
    stop();
    stop();
    const stopped = status();
    start({ sampleInterval: INTERVAL });
    return { stopped, started: status() };
  },

  startTwice() {
    start({ sampleInterval: INTERVAL, stackDepth: 20 });
    keep();
    collect();
    const before = plainRecords();
    start();
    start({ sampleInterval: INTERVAL, stackDepth: 30 });
    const after = { records: plainRecords(), status: status() };
    const otherInterval = thrown(() => start({ sampleInterval: INTERVAL * 2 }));
    stop();
    return { before, after, otherInterval, stopped: status() };
  },

  stopTwice() {
    start({ sampleInterval: INTERVAL });
    keep();
    collect();
    stop();
    const once = { records: plainRecords(), status: status() };
    stop();
    return { once, twice: { records: plainRecords(), status: status() } };
  },

  readWhileStopped() {
    start({ sampleInterval: INTERVAL });
    keep();
    collect();
    const running = plainRecords();
    stop();
    const stopped = plainRecords();
    kept = [];
    keepLater();
    collect();
    return { running, stopped, later: plainRecords(), count: lookup('heap').count() };
  },

  restart() {
    start({ sampleInterval: INTERVAL });
    keep();
    collect();
    stop();
    const stopped = plainRecords();
    start({ sampleInterval: INTERVAL });
    const restarted = plainRecords();
    keepLater();
    collect();
    const later = plainRecords();
    kept = [];
    collect();
    return { stopped, restarted, later, dropped: plainRecords(), status: status() };
  },

  otherInterval() {
    start({ sampleInterval: INTERVAL });
    keep();
    collect();
    stop();
    const refused = thrown(() => start({ sampleInterval: INTERVAL * 2 }));
    const afterRefusal = status();
    start();
    const adopted = status();
    return { refused, afterRefusal, adopted };
  },

  otherIntervalWithoutRecords() {
    start({ sampleInterval: 2 ** 30 });
    stop();
    start({ sampleInterval: INTERVAL });
    return { status: status() };
  },

  reset() {
    start({ sampleInterval: INTERVAL });
    keep();
    collect();
    const whileRunning = thrown(() => start({ reset: true }));
    const untouched = plainRecords();
    stop();
    const before = plainRecords();
    start({ reset: true, sampleInterval: INTERVAL * 2 });
    const after = { records: plainRecords(), status: status() };
    kept = [];
    collect();
    const oldDied = plainRecords();
    keepLater();
    collect();
    return { whileRunning, untouched, before, after, oldDied, later: plainRecords() };
  },

  async resetWhileWorkerRuns() {
    const worker = new Worker(__filename, { argv: ['(worker)'] });
    await new Promise((resolve) => worker.once('message', resolve));
    const refused = thrown(() => start({ reset: true }));
    const during = status();
    worker.postMessage('end');
    await new Promise((resolve) => worker.once('exit', resolve));
    start({ reset: true, sampleInterval: INTERVAL * 2 });
    return { refused, during, after: status() };
  },

  busy() {
    const session = connect();
    post(session, 'HeapProfiler.startSampling', { samplingInterval: 1024 });
    const refused = thrown(() => start({ sampleInterval: INTERVAL }));
    const afterRefusal = status();
    stop();
    const stillSampling = post(session, 'HeapProfiler.getSamplingProfile');
    post(session, 'HeapProfiler.stopSampling');
    start({ sampleInterval: INTERVAL });
    keep();
    collect();
    return {
      refused,
      afterRefusal,
      stillSampling: stillSampling.profile !== undefined,
      afterwards: status(),
      records: plainRecords(),
    };
  },

  // Somebody stops our sampler.
  displaced() {
    const session = connect();
    start({ sampleInterval: INTERVAL });
    keep();
    collect();
    const before = plainRecords();
    post(session, 'HeapProfiler.stopSampling');
    collect();
    const displaced = { records: plainRecords(), status: status() };
    start({ sampleInterval: INTERVAL });
    keepLater();
    collect();
    return { before, displaced, after: { records: plainRecords(), status: status() } };
  },

  // Somebody stops our sampler and starts another before we look.
  replaced() {
    const session = connect();
    start({ sampleInterval: INTERVAL });
    keep();
    collect();
    const before = plainRecords();
    post(session, 'HeapProfiler.stopSampling');
    post(session, 'HeapProfiler.startSampling', { samplingInterval: 1024 });
    keepLater();
    collect();
    const replaced = { records: plainRecords(), status: status() };
    stop();
    const theirs = post(session, 'HeapProfiler.getSamplingProfile');
    const busy = thrown(() => start({ sampleInterval: INTERVAL }));
    return { before, replaced, theirsRuns: theirs.profile !== undefined, busy, stopped: status() };
  },

  status() {
    const before = status();
    start({ sampleInterval: INTERVAL, stackDepth: 17, maxTableBytes: 8 * 1024 * 1024 });
    const started = status();
    keep();
    collect();
    const running = { records: plainRecords(), status: status() };
    stop();
    return { before, started, running, stopped: status() };
  },

  defaults() {
    start();
    return { status: status() };
  },
};

async function main(name) {
  print(await scenarios[name]());
}

if (isMainThread) {
  main(process.argv[2]);
} else {
  start({ sampleInterval: INTERVAL });
  keep();
  collect();
  parentPort.once('message', () => {});
  parentPort.postMessage('running');
}

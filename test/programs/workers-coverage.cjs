'use strict';
// Which workers are profiled. Run with or without `-r dist/register.js`; the argument names the scenario.
const path = require('node:path');
const workerThreads = require('node:worker_threads');
const { Worker: OriginalWorker, isMainThread, parentPort, threadId, workerData } = workerThreads;
const memprof = require('../../dist');
const { report, figuresOf } = require('./support/report.cjs');

const lib = path.join(__dirname, '..', '..', 'dist');
const esm = path.join(__dirname, 'support', 'import-worker.mjs');

const threadsNotRunning = () =>
  memprof
    .status()
    .threads.filter(({ state }) => state !== 'running')
    .map(({ id }) => id);

// What every worker does: allocates under a name of its own, and says whether it is profiled.
const kept = [];
function allocateIn(name, n) {
  const allocate = new Function(
    'kept',
    `return function ${name}(n) { for (let i = 0; i < n; i++) kept.push({ i, a: [i] }); }`,
  );
  allocate(kept)(n);
}

const evalWorker = `
  const { parentPort, workerData } = require('node:worker_threads');
  const kept = [];
  function inEval(n) { for (let i = 0; i < n; i++) kept.push({ i, a: [i] }); }
  inEval(200000);
  if (globalThis.gc) gc();
  const memprof = require(${JSON.stringify(lib)});
  parentPort.postMessage({ state: memprof.status().state });
  parentPort.on('message', () => process.exit());
`;

const once = (emitter, event) =>
  new Promise((resolve, reject) => {
    emitter.once(event, resolve);
    if (event !== 'error') emitter.once('error', reject);
  });

async function end(worker) {
  const exited = once(worker, 'exit');
  worker.postMessage('end');
  await exited;
}

const make = (data, options = {}, Class = workerThreads.Worker) =>
  new Class(__filename, { workerData: data, ...options });

const scenarios = {
  // Register's preload: plain, eval and nested workers are covered, one with an execArgv of its own is not.
  async register() {
    const result = {};
    allocateIn('inMain', 200000);
    gc();
    const plain = make({ name: 'inPlain' });
    result.plain = await once(plain, 'message');
    const evaluated = new workerThreads.Worker(evalWorker, { eval: true });
    result.evaluated = await once(evaluated, 'message');
    const nested = make({ name: 'inOuter', nest: 'inNested' });
    result.nested = await once(nested, 'message');
    const bare = make({ name: 'inBare' }, { execArgv: [] });
    result.bare = await once(bare, 'message');
    result.uncovered = threadsNotRunning();
    result.bareId = bare.threadId;
    result.ids = [threadId, plain.threadId, evaluated.threadId, nested.threadId];
    result.running = memprof
      .status()
      .threads.filter(({ state }) => state === 'running')
      .map(({ id }) => id);
    result.figures = {};
    for (const name of ['inPlain', 'inEval', 'inOuter', 'inNested', 'inBare'])
      result.figures[name] = figuresOf(name);
    // The worker reads what the main thread and the others did.
    result.seenByWorker = result.plain.alsoSees;
    for (const worker of [plain, evaluated, nested, bare]) await end(worker);
    result.afterwards = {};
    for (const name of Object.keys(result.figures)) result.afterwards[name] = figuresOf(name);
    result.uncoveredAfterwards = threadsNotRunning();
    return result;
  },

  // start() alone changes nothing of Node's; with workers: true it wraps the class, until stop().
  async wrapped() {
    const before = { env: JSON.stringify(process.env), execArgv: JSON.stringify(process.execArgv) };
    memprof.start({ sampleInterval: 4096 });
    const untouched = {
      worker: workerThreads.Worker === OriginalWorker,
      env: JSON.stringify(process.env) === before.env,
      execArgv: JSON.stringify(process.execArgv) === before.execArgv,
    };
    memprof.start({ workers: true });
    const esmWrapped = (await import(esm)).current() !== OriginalWorker;
    const result = { untouched, esmWrapped, wrapped: workerThreads.Worker !== OriginalWorker };
    result.envAndArgv =
      JSON.stringify(process.env) === before.env && JSON.stringify(process.execArgv) === before.execArgv;
    const plain = make({ name: 'inPlain' });
    result.plain = await once(plain, 'message');
    result.instance = [
      plain instanceof OriginalWorker,
      plain instanceof workerThreads.Worker,
      plain.constructor === OriginalWorker,
    ];
    const bare = make({ name: 'inBare' }, { execArgv: [] });
    result.bare = await once(bare, 'message');
    // Flags that Node.js accepts for a process but refuses for a worker.
    const flagged = make({ name: 'inFlagged' }, { execArgv: process.execArgv });
    result.flagged = await once(flagged, 'message').catch((error) => ({ error: error.code }));
    const evaluated = new workerThreads.Worker(evalWorker, { eval: true, execArgv: [] });
    result.evaluated = await once(evaluated, 'message');
    class Sub extends workerThreads.Worker {
      extra() {
        return 'extra';
      }
    }
    const sub = new Sub(__filename, { workerData: { name: 'inSub' }, execArgv: [] });
    result.sub = await once(sub, 'message');
    result.subIsSub = sub instanceof Sub && sub.extra() === 'extra';
    result.uncovered = threadsNotRunning();
    result.figures = {};
    for (const name of ['inPlain', 'inBare', 'inFlagged', 'inEval', 'inSub'])
      result.figures[name] = figuresOf(name);
    for (const worker of [plain, bare, flagged, evaluated, sub]) await end(worker);
    memprof.stop();
    result.restored = workerThreads.Worker === OriginalWorker;
    result.esmRestored = (await import(esm)).current() === OriginalWorker;
    const late = make({ name: 'inLate' }, { execArgv: [] });
    result.late = await once(late, 'message');
    await end(late);
    return result;
  },

  // Without `workers`, a worker may start for itself, as its parent does; otherwise it is not covered, and said to be.
  async alone() {
    memprof.start({ sampleInterval: 4096 });
    const not = make({ name: 'inNot' });
    const own = make({ name: 'inOwn', start: true });
    const messages = await Promise.all([once(not, 'message'), once(own, 'message')]);
    const result = { not: messages[0], own: messages[1] };
    result.uncoveredIsNot = threadsNotRunning().join() === String(not.threadId);
    result.figures = { inNot: figuresOf('inNot'), inOwn: figuresOf('inOwn') };
    await end(not);
    await end(own);
    return result;
  },

  // Threads told apart: those for which the tables have no room share -1.
  async labels() {
    const count = Number(process.argv[3]);
    memprof.start({ sampleInterval: 4096, labelThreads: true, maxTableBytes: Number(process.argv[4]) });
    allocateIn('inMain', 20000);
    for (let i = 0; i < count; i++) {
      const worker = make({ name: `inWorker${i}`, start: true });
      await once(worker, 'message');
      await end(worker);
    }
    gc();
    const threads = new Map();
    let mixed = 0;
    for (const record of memprof.readRecords(true)) {
      const names = record.stack().map((frame) => frame.functionName);
      const mine = names.some((name) => /^in(Main|Worker\d+)$/.test(name));
      if (mine && (record.thread === 0) !== names.includes('inMain')) mixed++;
      threads.set(record.thread, (threads.get(record.thread) ?? 0) + record.allocObjects);
    }
    return {
      labels: [...threads.keys()].sort((a, b) => a - b),
      others: threads.get(-1) ?? 0,
      main: threads.get(0) ?? 0,
      mixed,
    };
  },
};

async function inMainThread() {
  const result = await scenarios[process.argv[2]]();
  memprof.stop();
  report(result);
}

async function inWorker() {
  if (workerData.start) memprof.start();
  allocateIn(workerData.name, workerData.start ? 20000 : 200000);
  gc();
  let nested;
  let nestedState;
  if (workerData.nest !== undefined) {
    nested = new workerThreads.Worker(__filename, { workerData: { name: workerData.nest } });
    nestedState = (await once(nested, 'message')).state;
  }
  const { state } = memprof.status();
  const figures = figuresOf(workerData.name);
  const alsoSees = figuresOf('inMain').alloc;
  parentPort.postMessage({ state, figures, nestedState, alsoSees });
  await once(parentPort, 'message');
  if (nested !== undefined) await end(nested);
  process.exit();
}

if (isMainThread) inMainThread();
else inWorker();

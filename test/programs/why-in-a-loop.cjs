'use strict';
// Asks again and again what holds a site's memory, while the program allocates, collects, and has workers come and go.
// usage: why-in-a-loop.cjs CALLS
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const memprof = require('../../dist');

memprof.start({ directSamples: true, sampleInterval: 16384 });

const kept = [];
function keep(n) {
  kept[n % 20_000] = { n, list: new Array(20).fill(n) };
}

const answers = { paths: 0, ERR_MEMPROF_BUSY: 0, ERR_MEMPROF_NO_THREAD: 0, AbortError: 0, others: [] };

async function ask(options) {
  try {
    // Not by the name of the function: what the optimiser inlines counts in the caller.
    const { sites } = await memprof.explain({ site: 'why-in-a-loop', ...options });
    if (sites.length > 0) answers.paths++;
  } catch (error) {
    const kind = error.code in answers ? error.code : error.name;
    if (kind in answers) answers[kind]++;
    else answers.others.push(error.message);
  }
}

async function main() {
  const calls = Number(process.argv[2]);
  let n = 0;
  while (n < 20_000) keep(n++);
  const load = setInterval(() => {
    for (let i = 0; i < 2000; i++) keep(n++);
  }, 1);
  const rss = [];
  for (let call = 0; call < calls; call++) {
    const worker = new Worker(__filename);
    await new Promise((resolve) => worker.once('message', resolve));
    const { threadId } = worker;
    // The worker answers, or has ended before, or ends meanwhile; a second question at the same time is refused.
    const asked = [ask({ thread: threadId }), ask({ thread: threadId })];
    if (call % 3 === 1) await new Promise(setImmediate);
    const ended = call % 3 === 2 ? undefined : worker.terminate();
    await Promise.all(asked);
    await ask({});
    const stopped = new AbortController();
    setTimeout(() => stopped.abort(), call % 5);
    await ask({ signal: stopped.signal });
    await (ended ?? worker.terminate());
    rss.push(process.memoryUsage.rss());
  }
  clearInterval(load);
  const { heap, state } = memprof.status();
  console.log(JSON.stringify({ ...answers, rss, state, source: heap.source }));
}

if (isMainThread) {
  void main();
} else {
  keep(1);
  setInterval(() => keep(1), 1);
  parentPort.postMessage('sampled');
}

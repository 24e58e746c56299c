'use strict';
// Leaks in a way that the first argument names, and asks what holds the memory. Prints the answer of explain() as JSON.
// usage: held.cjs listeners|map|closures|promises|timer|package|garbage [COUNT] [SAMPLE_INTERVAL]
const { EventEmitter } = require('node:events');
const memprof = require('../../dist');

const [, , kind, count = '10000', sampleInterval = '4096'] = process.argv;
memprof.start({ directSamples: true, sampleInterval: Number(sampleInterval) });

class Session {
  constructor(n) {
    this.n = n;
    this.cart = new Array(20).fill(n);
  }
}

const bus = new EventEmitter();
bus.setMaxListeners(0);
const sessions = new Map();
const handlers = [];
const waiting = new Set();
let batch = [];

const leaks = {
  listeners(n) {
    subscribe(n);
  },
  map(n) {
    remember({ n });
  },
  closures(n) {
    addHandler(n);
  },
  promises(n) {
    void answer(n);
  },
  timer(n) {
    serve({ n, headers: new Array(30).fill(n) });
  },
  package(n) {
    countRequest(`/user/${n}`);
  },
  garbage(n) {
    // All that is in use at the end has outlived collections, and is needed no more.
    batch.push(drop(n));
  },
};

function subscribe(n) {
  const big = new Array(40).fill(n);
  bus.on('tick', () => big.length);
}

function remember(request) {
  sessions.set(request, new Session(request.n));
}

function addHandler(n) {
  const data = new Array(40).fill(n);
  handlers.push(() => data.length);
}

async function answer(n) {
  const body = new Array(40).fill(n);
  await new Promise((resolve) => waiting.add(resolve));
  return body;
}

function serve(request) {
  const copy = { ...request, body: new Array(40).fill(request.n) };
  setTimeout(() => copy.body.length, 3_600_000).unref();
}

function drop(n) {
  return new Session(n);
}

/** Known of prom-client: each combination of labels is kept for good, so labels such as a URL are a leak. */
function countRequest(path) {
  const { Counter, register } = require('prom-client');
  const name = 'requests';
  (register.getSingleMetric(name) ?? new Counter({ name, help: name, labelNames: ['path'] })).inc({ path });
}

async function main() {
  for (let n = 0; n < Number(count); n++) {
    leaks[kind](n);
    // Some turns of the loop, as a server has them, and some collections.
    if (n % 1000 === 0) await new Promise(setImmediate);
  }
  batch = [];
  const site = {
    listeners: 'subscribe',
    map: 'remember|Session',
    closures: 'addHandler',
    promises: 'answer',
    timer: 'serve',
    package: 'prom-client',
    garbage: 'drop|Session',
  }[kind];
  const answer = await memprof.explain({ site });
  console.log(JSON.stringify({ ...answer, source: memprof.status().heap.source }));
  process.exit();
}

void main();

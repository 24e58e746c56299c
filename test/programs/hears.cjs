'use strict';
// A program that lives until its standard input ends, and tells on standard output how it is. Its argument says what makes
// memprof speak; "worker" after it, that this happens in a worker.
const fs = require('node:fs');
const threads = require('node:worker_threads');
const path = require('node:path');

const dist = path.join(__dirname, '../../dist');
const tell = (line) => fs.writeSync(1, `${line}\n`);
const [what, inWorker] = process.argv.slice(2);

const saying = {
  nothing() {},
  // Whoever stops V8's sampler stops memprof's.
  async displaced() {
    require(dist).start({ sampleInterval: 1024 });
    const session = new (require('node:inspector').Session)();
    session.connect();
    const post = (method) => new Promise((resolve) => session.post(`HeapProfiler.${method}`, resolve));
    await post('startSampling');
    await post('stopSampling');
    globalThis.gc();
  },
  async push() {
    require(dist).start({ sampleInterval: 1024 });
    globalThis.kept = Array.from({ length: 10_000 }, (_, i) => ({ i }));
    globalThis.gc();
    const { push } = require(path.join(dist, 'pyroscope'));
    await push({ url: 'http://127.0.0.1:1', name: 'x', interval: 3_600_000 }).stop();
  },
  async server() {
    const { Worker } = threads;
    const made = [];
    threads.Worker = class extends Worker {
      constructor(...args) {
        super(...args);
        made.push(this);
      }
    };
    await require(path.join(dist, 'http')).serve({ port: 0 });
    made[0].emit('error', new Error('out of memory'));
  },
  async register() {
    const session = new (require('node:inspector').Session)();
    session.connect();
    await new Promise((resolve) => session.post('HeapProfiler.startSampling', resolve));
    require(path.join(dist, 'register.js'));
  },
};

process.on('warning', ({ message, code }) => tell(`heard ${code}: ${message}`));
if (threads.isMainThread) {
  process.on('exit', (code) => tell(`exit ${code}`));
  process.stdin.on('data', () => tell('alive')).on('end', () => process.exit());
}
if (inWorker === 'worker' && threads.isMainThread) {
  new threads.Worker(__filename, { argv: [what] }).on('exit', () => tell('ready'));
} else {
  Promise.resolve(saying[what]()).then(() => setTimeout(() => threads.isMainThread && tell('ready'), 100));
}

'use strict';
// Takes memory of one kind, then prints where memprof sees it. Arguments: the kind, and the path of an addon that takes
// native memory.
const { Worker } = require('node:worker_threads');
const { once } = require('node:events');
const memprof = require('../../dist');
const { print } = require('./support/records.cjs');

const [kind, addon] = process.argv.slice(2);
const MIB = 2 ** 20;
const kept = [];

const shapes = {
  heap() {
    for (let i = 0; i < 3e6; i++) kept.push({ i });
  },
  buffers() {
    for (let i = 0; i < 150; i++) kept.push(Buffer.alloc(MIB, 1));
    for (let i = 0; i < 5000; i++) kept.push(Buffer.alloc(10_000, 1));
  },
  async workers() {
    const main = JSON.stringify(require.resolve('../../dist'));
    for (let i = 0; i < 40; i++) {
      const worker = new Worker(
        `require(${main}).start(); globalThis.kept = Array.from({ length: 20000 }, (_, i) => ({ i }));
        require('node:worker_threads').parentPort.postMessage(0); setInterval(() => {}, 1e6);`,
        { eval: true },
      );
      kept.push(worker);
      await once(worker, 'message');
    }
  },
  native() {
    require(addon).take(200 * MIB, 1000, 1);
  },
  fragmented() {
    require(addon).take(400 * MIB, 1000, 2);
  },
  reserved() {
    const buffers = [
      new WebAssembly.Memory({ initial: 800 }).buffer,
      new ArrayBuffer(50 * MIB, { maxByteLength: 200 * MIB }),
      new SharedArrayBuffer(50 * MIB, { maxByteLength: 200 * MIB }),
    ];
    for (const buffer of buffers) kept.push(new Uint8Array(buffer).fill(1));
  },
  strings() {
    const bytes = Buffer.alloc(5 * MIB, 'a');
    for (let i = 0; i < 30; i++) kept.push(bytes.toString('latin1'));
  },
};

async function main() {
  memprof.start();
  await shapes[kind]();
  const breakdown = await memprof.memoryBreakdown();
  const rss = process.memoryUsage.rss();
  const collected = await memprof.memoryBreakdown({ gc: true });
  print({ rss, breakdown, collected });
  process.exit();
}

main();

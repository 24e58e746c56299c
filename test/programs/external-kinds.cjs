'use strict';
// Makes memory outside the heap that no allocator of buffers sees, kind by kind, and prints by how much each changes the
// figures, in MiB. Argument: the path of an addon that reports external memory.
const memprof = require('../../dist');
const { print } = require('./support/records.cjs');

const MIB = 2 ** 20;
const kept = [];
const wasm = () => new WebAssembly.Memory({ initial: 800 });
const resizable = () => new ArrayBuffer(50 * MIB, { maxByteLength: 200 * MIB });
const latin1 = Buffer.alloc(50 * MIB, 'a');

const kinds = {
  wasm: () => kept.push(wasm()),
  wasmGrows: () => kept[0].grow(800),
  resizable: () => kept.push(resizable()),
  resizableGrows: () => kept[1].resize(100 * MIB),
  growableShared: () => kept.push(new SharedArrayBuffer(50 * MIB, { maxByteLength: 200 * MIB })),
  shared: () => kept.push(new SharedArrayBuffer(50 * MIB)),
  string: () => kept.push(latin1.toString('latin1')),
  reported: () => require(process.argv[2]).report(50 * MIB),
};

async function figures() {
  const { external, arrayBuffers } = memprof.readMemStats();
  const breakdown = await memprof.memoryBreakdown();
  return [external, arrayBuffers, breakdown.external.reported];
}

async function main() {
  memprof.start();
  const changes = {};
  for (const [kind, make] of Object.entries(kinds)) {
    const before = await figures();
    make();
    const after = await figures();
    changes[kind] = after.map((bytes, i) => Math.round((bytes - before[i]) / MIB));
  }
  print(changes);
}

main();

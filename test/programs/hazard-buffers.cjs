'use strict';
// What could go wrong with buffers in one thread. Every buffer is sampled. Arguments: scenario, how often.
const memprof = require('../../dist');
const { bufferFigures, collectAll, reportBuffers } = require('./support/buffer-figures.cjs');

const [scenario, times] = [process.argv[2], Number(process.argv[3])];
const KIB = 1024;

const scenarios = {
  /** Memory that is not the allocator's: reserved addresses. */
  resizable() {
    let seen = 0;
    for (let i = 0; i < times; i++) {
      const buffer = new ArrayBuffer(64 * KIB, { maxByteLength: 4096 * KIB });
      const shared = new SharedArrayBuffer(64 * KIB, { maxByteLength: 4096 * KIB });
      for (let size = 1; size <= 8; size++) {
        buffer.resize(size * 512 * KIB);
        shared.grow(size * 512 * KIB);
        new Uint8Array(buffer).fill(size);
        seen += new Uint8Array(shared).length;
      }
      buffer.resize(10);
      seen += buffer.slice(0, 5).byteLength;
      // A copy of a resizable one that has a size of its own is a plain one.
      seen += buffer.transferToFixedLength?.().byteLength ?? 10;
    }
    return { seen };
  },

  wasm() {
    let pages = 0;
    for (let i = 0; i < times; i++) {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });
      for (let n = 1; n < 64; n *= 2) {
        memory.grow(n === 1 ? 1 : n / 2);
        new Uint8Array(memory.buffer).fill(n);
      }
      pages += memory.buffer.byteLength / 65536;
    }
    return { pages };
  },

  clone() {
    let bytes = 0;
    let kept;
    for (let i = 0; i < times; i++) {
      const buffer = new ArrayBuffer(1000 + i);
      const copy = structuredClone({ buffer, view: new Uint16Array(buffer, 2, 10) });
      const moved = structuredClone(buffer, { transfer: [buffer] });
      if (buffer.byteLength !== 0 || copy.view.buffer !== copy.buffer) throw new Error('not as it should be');
      bytes += moved.byteLength + copy.buffer.byteLength;
      kept = moved;
    }
    return { bytes, keptBytes: kept.byteLength };
  },

  concat() {
    let joined = Buffer.from('memprof');
    let bytes = 0;
    for (let i = 0; i < times; i++) {
      joined = Buffer.concat([joined, Buffer.from(String(i)), Buffer.allocUnsafe(i % 5000)]);
      bytes += joined.length;
      if (joined.length > 200 * KIB) joined = joined.subarray(0, 7);
    }
    if (!joined.toString('latin1').startsWith('memprof')) throw new Error('not as it should be');
    return { bytes };
  },

  /** Small typed arrays lie on the heap until somebody asks for their buffer: what is still needed moves then. */
  materialized() {
    const kept = [];
    for (let i = 0; i < times; i++) {
      const array = new Uint8Array(60).fill(i);
      kept.push({ array, buffer: array.buffer });
      if (kept.length > 500) kept.splice(0, 250);
    }
    const wrong = kept.filter(({ array, buffer }) => new Uint8Array(buffer)[59] !== array[0]).length;
    return { mismatches: wrong, kept: kept.length };
  },

  failure() {
    const errors = new Set();
    const before = memprof.readMemStats().arrayBuffersTotalAlloc;
    for (let i = 0; i < times; i++) {
      for (const make of [(n) => new ArrayBuffer(n), (n) => new SharedArrayBuffer(n)]) {
        try {
          make(2 ** 47);
          errors.add('no error');
        } catch (error) {
          errors.add(`${error.name}: ${error.message}`);
        }
      }
    }
    return { errors: [...errors], failedBytes: memprof.readMemStats().arrayBuffersTotalAlloc - before };
  },

  /** At every depth up to the end of the stack, and there again and again. */
  deep() {
    let overflows = 0;
    let made = 0;
    const recurse = (depth) => {
      made += Buffer.allocUnsafeSlow(100 + (depth % 50)).length > 0 ? 1 : 0;
      recurse(depth + 1);
    };
    for (let i = 0; i < times; i++) {
      try {
        recurse(0);
      } catch (error) {
        if (error instanceof RangeError) overflows++;
      }
    }
    return { overflows, made };
  },

  contexts() {
    const vm = require('node:vm');
    let bytes = 0;
    for (let i = 0; i < times; i++) {
      const code = 'function inContext(n) { return new Uint8Array(new ArrayBuffer(n)); }\ninContext(size)';
      bytes += vm.runInNewContext(code, { size: 1000 + i }, { filename: `context-${i % 3}.js` }).length;
    }
    return { bytes, inContext: bufferFigures('inContext') };
  },

  /** Buffers that live across stops and starts, and a stack depth and a reset of each time's own. */
  async restarts() {
    const kept = [];
    let wrong = 0;
    for (let i = 0; i < times; i++) {
      memprof.stop();
      kept.push(new ArrayBuffer(500));
      if (kept.length > 100) kept.splice(0, 60);
      const reset = i % 10 === 9;
      memprof.start({
        buffers: true,
        bufferSampleInterval: reset ? 1 + i : 0 || undefined,
        reset,
        stackDepth: 1 + (i % 64),
      });
      if (!memprof.status().buffers.running) wrong++;
      for (let n = 0; n < 20; n++) kept.push(new ArrayBuffer(1000 + n));
      if (i % 50 === 0) gc();
      wrong += bufferFigures().wrong;
    }
    kept.length = 0;
    memprof.stop();
    memprof.start({ buffers: true, bufferSampleInterval: 1, reset: true });
    return { restartsWrong: wrong };
  },

  /** The end of the process while other threads free thousands of buffers. */
  exit() {
    for (let i = 0; i < times; i++) new ArrayBuffer(2000);
    gc();
    process.exit(7);
  },
};

async function main() {
  memprof.start({ buffers: true, bufferSampleInterval: 1, stackDepth: 100 });
  const more = await scenarios[scenario]();
  await collectAll();
  await reportBuffers(more);
}

main();

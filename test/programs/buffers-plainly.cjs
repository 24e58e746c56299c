'use strict';
// Keeps 200 buffers of 100 kB, and does not know of memprof.
globalThis.kept = [];

function keepsBuffers() {
  for (let i = 0; i < 200; i++) {
    kept.push(Buffer.alloc(100_000));
  }
}

keepsBuffers();
console.log('done');

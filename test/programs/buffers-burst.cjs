'use strict';
// The first second of a program that leaks 600 buffers of 1 MiB and drops 3,000, several times. Prints the bytes in use by
// the profile as a share of the truth, and by how much samples were thinned. Argument: how often.
const memprof = require('../../dist');
const { bufferFigures, collectAll } = require('./support/buffer-figures.cjs');
const { print } = require('./support/records.cjs');
const { scaleFactor } = require('../../dist/profile/scaling.js');

const BYTES = 2 ** 20;
const LEAKED = 600;
const kept = [];

function leak() {
  kept.push(Buffer.alloc(BYTES));
}

function drop() {
  return Buffer.alloc(BYTES);
}

async function main() {
  const runs = [];
  for (let run = 0; run < Number(process.argv[2]); run++) {
    memprof.start({ buffers: true, reset: true });
    for (let i = 0; i < 6 * LEAKED; i++) {
      if (i % 6 === 0) leak();
      else drop();
    }
    await collectAll();
    const { sampleInterval, mostThinning } = memprof.status().buffers;
    const { inUseObjects, inUseBytes } = bufferFigures('leak');
    const estimate = inUseBytes * scaleFactor(inUseObjects, inUseBytes, sampleInterval);
    const comments = memprof.parseProfile(await memprof.lookup('buffers').encode()).comments;
    runs.push({ share: estimate / (LEAKED * BYTES), mostThinning, comments });
    memprof.stop();
    kept.length = 0;
    await collectAll();
  }
  print(runs);
}

main();

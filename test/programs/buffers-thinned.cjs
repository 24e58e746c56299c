'use strict';
// Does nothing but allocate buffers, three in one function for each in another, then pauses. Prints what sites have, and
// by how much samples were thinned. Argument: buffers to allocate.
const memprof = require('../../dist');
const { bufferFigures, collectAll } = require('./support/buffer-figures.cjs');
const { print } = require('./support/records.cjs');
const { setTimeout: sleep } = require('node:timers/promises');

const BYTES = 32 * 1024;
const total = Number(process.argv[2]);
const EVERY = 1024;

function often() {
  return Buffer.allocUnsafeSlow(BYTES);
}

function seldom() {
  return Buffer.allocUnsafeSlow(BYTES);
}

async function main() {
  memprof.start({ buffers: true });
  const thinnings = [memprof.status().buffers.thinning];
  let most = 1;
  let sum = 0;
  const began = performance.now();
  for (let n = 0; n < total; n += 4) {
    often();
    often();
    often();
    seldom();
    if (n % EVERY !== 0) continue;
    const { thinning } = memprof.status().buffers;
    most = Math.max(most, thinning);
    sum += thinning;
  }
  const seconds = (performance.now() - began) / 1000;
  thinnings.push(most);
  const mean = sum / Math.ceil(total / EVERY);
  await collectAll();
  const sites = { often: bufferFigures('often'), seldom: bufferFigures('seldom') };
  const { samplesSeen, sampleInterval } = memprof.status().buffers;
  // Half of the first 10 ms is earned back at half a per cent: in a second, or later where others had the processor.
  let now = memprof.status().buffers.thinning;
  for (let waits = 0; now > 1 && waits < 1200; waits++) {
    await sleep(100);
    gc();
    now = memprof.status().buffers.thinning;
  }
  thinnings.push(now);
  print({ sites, thinnings, mean, seconds, samplesSeen, sampleInterval });
}

main();

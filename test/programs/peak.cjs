'use strict';
// Fills the heap, and drops nearly all of it. Prints what the profile of the peak says, and what really was there.
// usage: peak.cjs direct|public MEGABYTES
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const memprof = require('../../dist');

const megabytes = Number(process.argv[3]);
memprof.start({ directSamples: process.argv[2] === 'direct' });

let large = [];
const small = [];
// Numbers in an array of their own: 8 bytes each, and a little for the array.
const COUNT = 1000;
function fill() {
  large.push(new Array(COUNT).fill(0.5));
}
function keep() {
  small.push(new Array(COUNT).fill(0.5));
}

async function main() {
  const arrays = Math.round((megabytes * 2 ** 20) / (COUNT * 8));
  for (let n = 0; n < arrays; n++) {
    fill();
    if (n % 10 === 0) keep();
  }
  gc();
  const atPeak = process.memoryUsage().heapUsed;
  await new Promise(setImmediate);
  large = [];
  gc();
  gc();
  const { samples, sampleTypes, timeNanos } = memprof.parseProfile(await memprof.lookup('peak').encode());
  const bytesOf = (functionName) =>
    samples
      .filter(({ stack }) => stack.some((frame) => frame.functionName === functionName))
      .reduce((sum, { values }) => sum + values[1], 0);
  const text = String(await memprof.lookup('peak').encode({ format: 'text' }));
  console.log(
    JSON.stringify({
      types: sampleTypes.map(({ type }) => type),
      age: Date.now() - timeNanos / 1e6,
      fill: bytesOf('fill'),
      keep: bytesOf('keep'),
      filled: arrays * (COUNT * 8 + 48),
      kept: small.length * (COUNT * 8 + 48),
      atPeak,
      now: process.memoryUsage().heapUsed,
      source: memprof.status().heap.source,
      textBegin: text.split('\n')[0],
    }),
  );
}

void main();

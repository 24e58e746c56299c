'use strict';
// Leaks memory of the heap and Buffers for an hour that never was: after each minute's part it remembers the moment as one of so many minutes ago. Then it
// serves memprof's pages and prints their URL. Ends when standard input does.
// usage: leaking-history.cjs MINUTES
const memprof = require('../../dist');
const { serve } = require('../../dist/http');
const { native } = require('../../dist/addon/native.js');

const minutes = Number(process.argv[2]);
memprof.start({ sampleInterval: 16_384, directSamples: true, buffers: true, bufferSampleInterval: 16_384 });

const kept = [];
const uploads = [];
const cache = new Array(2000);
function leak() {
  kept.push(new Array(1000).fill(0.5));
}
function keepUpload() {
  uploads.push(Buffer.alloc(8000));
}
function refill(n) {
  cache[n % cache.length] = { n, list: new Array(50).fill(n) };
}

async function main() {
  for (let n = 0; n < 4000; n++) refill(n);
  for (let minute = minutes; minute >= 1; minute--) {
    for (let n = 0; n < 20; n++) {
      leak();
      keepUpload();
    }
    for (let n = 0; n < 200; n++) refill(n);
    gc();
    if (!native().addMoment(minute * 60_000)) throw new Error('not remembered');
  }
  const { url } = await serve({ port: 0 });
  process.stdin.resume().on('end', () => process.exit());
  console.log(url);
}

void main();

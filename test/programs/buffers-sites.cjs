'use strict';
// Leaks buffers in one function, churns in another, reads a file in a third; then says what is in use, serves it over
// HTTP, and ends when told to. Arguments: bytes between samples, MiB to leak, MiB of the file.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const memprof = require('../../dist');
const { serve } = require('../../dist/http');
const { collectAll } = require('./support/collect-all.cjs');

const MIB = 2 ** 20;
const [interval, leakMib, fileMib] = process.argv.slice(2).map(Number);
const kept = [];

function leak(bytes) {
  let left = bytes;
  while (left > 0) {
    const size = 1024 + Math.floor(Math.random() * 63 * 1024);
    kept.push(Buffer.allocUnsafeSlow(size)); // line 19
    left -= size;
  }
}

function churn(bytes) {
  for (let left = bytes; left > 0; left -= 32 * 1024) {
    Buffer.alloc(32 * 1024);
  }
}

function readAll(file) {
  return fs.readFileSync(file);
}

async function main() {
  // With all the time it takes: nothing is thinned.
  memprof.start({ buffers: true, bufferSampleInterval: interval, maxOverhead: 1 });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'memprof-'));
  const file = path.join(dir, 'file');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, fileMib * MIB);
  leak(leakMib * MIB);
  churn(2 * leakMib * MIB);
  kept.push(readAll(file));
  fs.rmSync(dir, { recursive: true });
  const { url } = await serve({ port: 0 });
  await collectAll();
  const { arrayBuffers, external } = process.memoryUsage();
  const stats = memprof.readMemStats();
  const { running, problem, sampleInterval } = memprof.status().buffers;
  console.log(
    JSON.stringify({
      url,
      arrayBuffers,
      external,
      stats,
      status: { running, problem, sampleInterval },
    }),
  );
  process.stdin.on('data', () => process.exit(kept.length > 0 ? 0 : 1));
}

main();

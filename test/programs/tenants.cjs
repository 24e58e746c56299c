'use strict';
// Three tenants, served by turns, allocate 1 : 2 : 3, on the heap and as buffers, in asynchronous work. Writes a profile of
// each kind as proto into DIRECTORY, and prints the records and the status.
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const { setImmediate: turn } = require('node:timers/promises');
const memprof = require('../../dist');
const { print } = require('./support/records.cjs');
const { Thing } = require('./support/thing.cjs');

const [directory, rounds] = [process.argv[2], Number(process.argv[3])];

const kept = [];
async function serve(weight) {
  for (let n = 0; n < weight * 100; n++) {
    kept.push(new Thing(n));
    if (n % 50 === 0) await turn();
  }
  for (let n = 0; n < weight * 4; n++) {
    await null;
    kept.push(Buffer.alloc(16384));
  }
}

async function main() {
  memprof.start({
    sampleInterval: 2048,
    buffers: true,
    bufferSampleInterval: 65536,
    directSamples: true,
    maxOverhead: 1,
  });
  for (let round = 0; round < rounds; round++) {
    const tenants = Object.entries({ small: 1, middle: 2, large: 3 });
    await Promise.all(
      tenants.map(([tenant, weight]) =>
        memprof.withLabels({ tenant }, async () => {
          await turn();
          return memprof.withLabels({ plan: weight === 1 ? 'free' : 'paid' }, () => serve(weight));
        }),
      ),
    );
  }
  gc();
  gc();
  for (const name of ['heap', 'buffers']) {
    writeFileSync(path.join(directory, `${name}.pb.gz`), await memprof.lookup(name).encode());
  }
  const labelled = memprof
    .readRecords(true)
    .filter(({ labels }) => labels !== undefined)
    .map(({ allocObjects, allocBytes, labels }) => ({ allocObjects, allocBytes, labels }));
  print({ labelled, status: memprof.status() });
}

main();

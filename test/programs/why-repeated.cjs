'use strict';
// Asks again and again what holds a site's memory. Prints what malloc has in use after each time.
// usage: why-repeated.cjs CALLS
const memprof = require('../../dist');

memprof.start({ directSamples: true, sampleInterval: 16384 });

const kept = [];
function keep(n) {
  kept[n % 5000] = { n, list: new Array(20).fill(n) };
}

async function main() {
  const calls = Number(process.argv[2]);
  let n = 0;
  let answered = 0;
  const malloced = [];
  for (let call = 1; call <= calls; call++) {
    // So that V8 gives its objects other ids each time.
    for (let i = 0; i < 5500; i++) keep(n++);
    // What the optimiser inlines counts in the caller, so there may be two sites.
    if ((await memprof.explain({ site: 'why-repeated' })).sites.length > 0) answered++;
    const { malloc } = await memprof.memoryBreakdown();
    if (malloc !== null) malloced.push(malloc.inUse);
  }
  console.log(JSON.stringify({ answered, malloced, source: memprof.status().heap.source }));
}

void main();

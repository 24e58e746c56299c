'use strict';
// More distinct stacks than the tables have room for. Arguments: stacks, maxTableBytes (0: the default).
const memprof = require('../../dist');
const { report } = require('./support/report.cjs');

const [stacks, maxTableBytes] = process.argv.slice(2).map(Number);

// Each call goes down through functions picked by the digits of its number: WIDTH to the power of DEPTH stacks.
const WIDTH = 64;
const DEPTH = Math.ceil(Math.log(stacks) / Math.log(WIDTH));
const levels = [];
for (let depth = 0; depth < DEPTH; depth++) {
  levels.push(
    Array.from({ length: WIDTH }, (_, i) =>
      new Function(
        'levels',
        `return function level${depth}_${i}(n) {
        if (${depth} === 0) return { n, text: [n] };
        return levels[${depth - 1}][n % ${WIDTH}](Math.floor(n / ${WIDTH}));
      }`,
      )(levels),
    ),
  );
}
const call = (n) => levels[DEPTH - 1][n % WIDTH](Math.floor(n / WIDTH));

memprof.start({
  sampleInterval: 1,
  maxOverhead: 1,
  maxPause: 1000,
  ...(maxTableBytes > 0 ? { maxTableBytes } : {}),
});
const limit = memprof.status().tables.maxBytes;
const kept = [];
let cutAt = 0;
let overflowAt = 0;
let highest = 0;
let mostKnown = 0;
for (let n = 0; n < stacks; n++) {
  kept[n % 1000] = call(n);
  if (n % 1000 !== 999) continue;
  if (n % 10000 === 9999) gc();
  const { cutStacks, overflowSamples, usedBytes, committedBytes, stacks: known } = memprof.status().tables;
  highest = Math.max(highest, usedBytes, committedBytes);
  mostKnown = known;
  if (cutAt === 0 && cutStacks > 0) cutAt = n;
  if (overflowAt === 0 && overflowSamples > 0) overflowAt = n;
}
gc();
memprof.readRecords(true);
memprof.stop();
const { usedBytes: tableBytes, cutStacks, overflowSamples } = memprof.status().tables;
let overflow = 0;
for (const record of memprof.readRecords(true)) {
  if (record.stack()[0].functionName === '(overflow)') overflow += record.allocObjects;
}
report({ limit, tableBytes, highest, cutStacks, overflowSamples, overflow, cutAt, overflowAt, mostKnown });

'use strict';
// A program whose collections are many and dear to harvest, so that most must be skipped. Arguments: maxOverhead,
// sampleInterval, seconds.
const memprof = require('../../dist');
const { report } = require('./support/report.cjs');

const [maxOverhead, sampleInterval, seconds] = process.argv.slice(2).map(Number);

// Many call paths make V8's tree large.
const leaves = Array.from({ length: 300 }, (_, i) =>
  new Function(`return function leaf${i}(n) {
    let last;
    for (let i = 0; i < n; i++) last = { last: [i], i };
    return last;
  }`)(),
);
const branches = Array.from({ length: 10 }, (_, i) =>
  new Function(
    'leaves',
    `return function branch${i}(n) {
    let last;
    for (const leaf of leaves) last = leaf(n);
    return last;
  }`,
  )(leaves),
);
const kept = [];

memprof.start({ maxOverhead, sampleInterval });
const began = performance.now();
const elapsed = () => (performance.now() - began) / 1000;
for (
  let i = 0;
  elapsed() < seconds || (memprof.status().heap.skippedCollections < 50 && elapsed() < seconds * 10);
  i++
) {
  for (const branch of branches) kept[i % 1000] = branch(20);
}
memprof.stop();
const { heap, overhead, internal } = memprof.status();
report({ ...internal, longestPauseNs: heap.longestPauseNs, overhead });

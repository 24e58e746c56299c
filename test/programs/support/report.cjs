'use strict';
// What the tests check of every profiled program, as one line of JSON.
const memprof = require('../../../dist');

/** Sums over all records, beside what status() says. */
function collect(more) {
  const sums = { allocObjects: 0, freeObjects: 0, inUseObjects: 0, negative: 0 };
  for (const record of memprof.readRecords(true)) {
    sums.allocObjects += record.allocObjects;
    sums.freeObjects += record.freeObjects;
    sums.inUseObjects += record.inUseObjects();
    if (record.inUseObjects() < 0 || record.inUseBytes() < 0 || record.stack().length === 0) sums.negative++;
  }
  const status = memprof.status();
  return {
    state: status.state,
    source: status.heap.source,
    sourceProblem: status.heap.sourceProblem,
    directSamples: status.internal.directSamples,
    numGC: memprof.readMemStats().numGC,
    ...sums,
    seen: status.heap.samplesSeen,
    published: status.heap.samplesPublished,
    lost: status.heap.samplesLost,
    imputed: status.heap.samplesImputed,
    live: status.heap.samplesLive,
    harvests: status.heap.harvests,
    skippedGCs: status.heap.skippedCollections,
    isolatesRunning: status.internal.isolatesRunning,
    isolatesEnded: status.internal.isolatesEnded,
    ...more,
  };
}

function report(more) {
  console.log(JSON.stringify(collect(more)));
}

/** Sampled objects that have the function of this name anywhere on their stack: allocated and in use. */
function figuresOf(functionName, records = memprof.readRecords(true)) {
  const figures = { alloc: 0, inUse: 0 };
  for (const record of records) {
    if (!record.stack().some((frame) => frame.functionName === functionName)) continue;
    figures.alloc += record.allocObjects;
    figures.inUse += record.inUseObjects();
  }
  return figures;
}

module.exports = { collect, report, figuresOf };

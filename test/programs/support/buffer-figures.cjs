'use strict';
const memprof = require('../../../dist');
const { readBufferRecords } = require('../../../dist/sampler/records.js');
const { collectAll } = require('./collect-all.cjs');

/** Sums over the records of buffers, or over those with that function on their stack. */
function bufferFigures(functionName) {
  const sums = { allocObjects: 0, allocBytes: 0, inUseObjects: 0, inUseBytes: 0, wrong: 0 };
  for (const record of readBufferRecords(true)) {
    const [objects, bytes] = [record.inUseObjects(), record.inUseBytes()];
    if (objects < 0 || bytes < 0 || (objects === 0) !== (bytes === 0)) sums.wrong++;
    if (functionName !== undefined && !record.stack().some((frame) => frame.functionName === functionName)) {
      continue;
    }
    sums.allocObjects += record.allocObjects;
    sums.allocBytes += record.allocBytes;
    sums.inUseObjects += objects;
    sums.inUseBytes += bytes;
  }
  return sums;
}

/**
 * After a collection, as one line of JSON: sums, what all buffers take by the allocators' own count, and what the
 * program adds.
 */
async function reportBuffers(more) {
  await collectAll();
  const { state, buffers } = memprof.status();
  const { arrayBuffers, arrayBuffersTotalAlloc } = memprof.readMemStats();
  const report = {
    state,
    buffers: buffers.running,
    bufferSamples: buffers.samplesSeen,
    bufferSamplesLive: buffers.samplesLive,
    bufferSamplesDropped: buffers.samplesDropped,
    arrayBuffers,
    arrayBuffersTotalAlloc,
    ...bufferFigures(),
    ...more,
  };
  console.log(JSON.stringify(report));
}

module.exports = { bufferFigures, collectAll, reportBuffers };

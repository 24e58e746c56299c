'use strict';
// Keeps objects of a class and drops as many, then asks which objects are behind the samples of each function.
// usage: sampled-objects.cjs SAMPLE_INTERVAL
const memprof = require('../../dist');
const { native } = require('../../dist/addon/native.js');

class Session {
  constructor(n) {
    Object.assign(this, { n, user: n, since: n, last: n });
  }
}

memprof.start({ directSamples: true, sampleInterval: Number(process.argv[2]) });
const kept = new Set();
function keep(count) {
  for (let n = 0; n < count; n++) kept.add(new Session(n));
}
function drop(count) {
  let last;
  for (let n = 0; n < count; n++) last = new Session(n);
  return last;
}

function objectsOf(functionName) {
  const { stacks } = native().readRecords(true, false);
  const named = (frame) => native().readFrame(frame, false)[0] === functionName;
  return native().sampledObjects(stacks.filter((stack) => native().stackFrames(stack, false).some(named)));
}

keep(20000);
drop(20000);
gc();
gc();
const sessions = (functionName) => objectsOf(functionName).filter(([, object]) => object instanceof Session);
const ofKeep = sessions('keep');
const inUse = memprof
  .readRecords(true)
  .filter((record) => record.stack().some((frame) => frame.functionName === 'keep'))
  .reduce((sum, record) => sum + record.inUseObjects(), 0);
const report = {
  source: memprof.status().heap.source,
  kept: ofKeep.length,
  ofKept: ofKeep.filter(([, object]) => kept.has(object)).length,
  sizes: [...new Set(ofKeep.map(([size]) => size))],
  dropped: sessions('drop').length,
  ofKeepInAll: objectsOf('keep').length,
  inUse,
};
memprof.stop();
report.afterStop = objectsOf('keep').length;
console.log(JSON.stringify(report));

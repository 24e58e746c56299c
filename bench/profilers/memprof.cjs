'use strict';
const { Writable } = require('node:stream');

/** memprof, at its defaults but for the interval and the depth. */
function memprofProfiler() {
  const memprof = require('../..');
  return {
    start: ({ interval, depth }) => memprof.start({ sampleInterval: interval, stackDepth: depth }),
    async read() {
      const chunks = [];
      const sink = new Writable({
        write(chunk, _encoding, done) {
          chunks.push(chunk);
          done();
        },
      });
      await memprof.writeHeapProfile(sink);
      return Buffer.concat(chunks);
    },
    status: () => memprof.status(),
    memprof,
  };
}

module.exports = {
  memprof: { label: 'memprof', modes: 'alloc + in-use', gives: 'proto', load: memprofProfiler },
};

'use strict';
const { once } = require('node:events');
const path = require('node:path');
const { Writable } = require('node:stream');
const { Worker } = require('node:worker_threads');

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

/** The same, its profiles read and written by the thread of `memprof/http`. */
function memprofHttpProfiler() {
  const { serve } = require('../../dist/http');
  const profiler = memprofProfiler();
  let fetcher;
  return {
    ...profiler,
    async start(options) {
      profiler.start(options);
      const { url } = await serve({ port: 0 });
      fetcher = new Worker(path.join(__dirname, 'fetch-thread.cjs'), { workerData: url });
      await once(fetcher, 'online');
      fetcher.unref();
    },
    async read() {
      fetcher.postMessage('fetch');
      const [profile] = await once(fetcher, 'message');
      return profile;
    },
  };
}

module.exports = {
  memprof: { label: 'memprof', modes: 'alloc + in-use', gives: 'proto', load: memprofProfiler },
  'memprof-http': {
    label: 'memprof by its HTTP thread',
    modes: 'alloc + in-use',
    gives: 'proto',
    load: memprofHttpProfiler,
  },
};

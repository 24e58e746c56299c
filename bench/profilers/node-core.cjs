'use strict';
// What Node itself has: the inspector's sampling, and v8.startHeapProfile. Both give JSON, gzipped here as the others do.
const { promisify } = require('node:util');
const gzip = promisify(require('node:zlib').gzip);

function inspectorProfiler(collected) {
  const { Session } = require('node:inspector');
  const session = new Session();
  session.connect();
  const post = promisify(session.post).bind(session);
  return {
    async start({ interval, depth }) {
      await post('HeapProfiler.startSampling', {
        samplingInterval: interval,
        stackDepth: depth, // lines that do not know it take 128
        includeObjectsCollectedByMajorGC: collected,
        includeObjectsCollectedByMinorGC: collected,
      });
    },
    async read() {
      const { profile } = await post('HeapProfiler.getSamplingProfile');
      return gzip(JSON.stringify(profile));
    },
  };
}

function v8Profiler(collected) {
  const v8 = require('node:v8');
  let handle;
  return {
    start({ interval, depth }) {
      handle = v8.startHeapProfile({
        sampleInterval: interval,
        stackDepth: depth,
        includeObjectsCollectedByMajorGC: collected,
        includeObjectsCollectedByMinorGC: collected,
      });
    },
    read: () => gzip(handle.stop()),
  };
}

module.exports = {
  inspector: {
    label: 'inspector',
    modes: 'in-use',
    gives: 'heapprofile',
    load: () => inspectorProfiler(false),
  },
  'inspector-alloc': {
    label: 'inspector',
    modes: 'alloc and in-use in one sum',
    gives: 'heapprofile',
    load: () => inspectorProfiler(true),
  },
  'v8-alloc': {
    label: 'v8.startHeapProfile',
    modes: 'alloc and in-use in one sum',
    gives: 'heapprofile',
    needsNode: 26,
    stopsAtRead: true,
    load: () => v8Profiler(true),
  },
};

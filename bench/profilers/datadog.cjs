'use strict';

function datadogProfiler(allocations) {
  const { heap, encode } = require('@datadog/pprof');
  return {
    start: ({ interval, depth }) => heap.start(interval, depth, ...(allocations ? [true] : [])),
    read: () => encode(heap.profile()),
  };
}

const label = '@datadog/pprof';

module.exports = {
  datadog: { label, modes: 'in-use', gives: 'proto', load: () => datadogProfiler(false) },
  'datadog-alloc': {
    label,
    modes: 'alloc + in-use, since the last read',
    gives: 'proto',
    needsNode: 26,
    load: () => datadogProfiler(true),
  },
};

'use strict';

function googleProfiler() {
  const { heap, encode } = require('pprof');
  return {
    start: ({ interval, depth }) => heap.start(interval, depth),
    read: () => encode(heap.profile()),
  };
}

module.exports = {
  google: { label: 'pprof (Google)', modes: 'in-use', gives: 'proto', load: googleProfiler },
};

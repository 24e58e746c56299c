'use strict';
// Ends with the sampler running: by itself, or by process.exit() from within an allocating function.
const { start } = require('../../dist');
const { Thing } = require('./support/thing.cjs');

const kept = [];
function keep() {
  for (let n = 0; n < 20_000; n++) kept.push(new Thing(n));
}

start({ sampleInterval: 1024 });
keep();
if (process.argv[2] === 'exit') {
  setImmediate(() => {
    keep();
    process.exit(0);
  });
}

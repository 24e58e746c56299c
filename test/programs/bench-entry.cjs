// By the package's own name, as a program has it.
const required = require('memprof/bench');

import('memprof/bench').then(({ measure }) => {
  const { bytesPerOp } = measure(() => ({ a: 1, b: 2 }));
  console.log(JSON.stringify({ require: Object.keys(required).sort(), bytesPerOp }));
});

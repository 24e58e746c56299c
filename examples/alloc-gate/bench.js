// Measures what functions allocate, and prints the results as JSON: node bench.js > after.json

const { measure } = require('memprof/bench');
const { parseLine } = require('./parse-line.js');

let kept;
const results = {
  'parseLine, short': measure(() => {
    kept = parseLine('name=value');
  }),
  'parseLine, long': measure(() => {
    kept = parseLine(`name=${'a longer value of several words '}`);
  }),
};

// Only what is compared: the other figures differ from run to run.
const figures = Object.entries(results).map(([name, { bytesPerOp, allocsPerOp, spread }]) => [
  name,
  { bytesPerOp, allocsPerOp, spread },
]);
console.log(JSON.stringify(Object.fromEntries(figures), null, 2));
if (kept === undefined) process.exitCode = 1;

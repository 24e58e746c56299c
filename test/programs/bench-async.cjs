// Measures async functions, and prints the figures.
const { allocsPerRun, measure } = require('../../dist/bench');

const quick = { warmUp: 60, time: 40 };
const resolved = Promise.resolve();

async function main() {
  const nothing = await measure(() => resolved, quick);
  const promise = await measure(async () => {}, quick);
  const waiting = await measure(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return { a: 1, b: 2 };
  }, quick);
  const runs = await allocsPerRun(100, () => resolved);
  console.log(JSON.stringify({ nothing, promise, waiting, runs }));
}

main();

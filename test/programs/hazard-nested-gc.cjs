'use strict';
// What V8 needs of its heap to tell samples is made as large as can be: each round brings a new script of many lines,
// whose table of lines is built in the next harvest, and new functions with long names. Collections start within
// harvests. Arguments: rounds.
const vm = require('node:vm');
const memprof = require('../../dist');
const { report } = require('./support/report.cjs');

const rounds = Number(process.argv[2]);
const LINES = '\n'.repeat(40000);

memprof.start({ sampleInterval: 1024, maxOverhead: 1, maxPause: 1000, stackDepth: 128 });
let kept = [];
let sum = 0;
for (let i = 0; i < rounds; i++) {
  const name = `aNameThatIsLong${'x'.repeat(300)}`;
  const functions = Array.from(
    { length: 60 },
    (_, n) =>
      `function ${name}${i}_${n}(n) { const made = [n, { n }, [n]]; return n === 0 ? made : [made, ${name}${i}_${(n * 7 + 1) % 60}(n - 1)]; }`,
  );
  const script = new vm.Script(`${LINES}(() => { ${functions.join('\n')}; return ${name}${i}_0; })()`, {
    filename: `/scripts/${i}.js`,
  });
  const run = script.runInThisContext();
  for (let n = 0; n < 150; n++) {
    kept.push(run(40));
    if (kept.length > 300) kept = kept.slice(150);
  }
  sum += kept.length;
}
const { treeNodes } = memprof.status();
gc();
memprof.readRecords(true);
memprof.stop();
report({ treeNodes, sum });

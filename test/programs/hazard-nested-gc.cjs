'use strict';
// What V8 needs of its heap to tell samples is made as large as can be: objects live on whose functions, with the longest
// names that V8 tells, are gone, so that each harvest makes all those names anew. Harvests allocate megabytes.
// Arguments: rounds, functions in all.
const vm = require('node:vm');
const memprof = require('../../dist');
const { report } = require('./support/report.cjs');

const [rounds, count] = process.argv.slice(2).map(Number);
const kept = [];

function makeSome(first, n) {
  const names = Array.from({ length: n }, (_, i) => `${'x'.repeat(1000)}${first + i}`);
  const functions = names.map(
    (name) => `function ${name}() { return [{ a: [1, 2, 3] }, new Array(200).fill(0)]; }`,
  );
  const source = `${'\n'.repeat(5000)}(() => { ${functions.join('\n')}; return [${names.join(',')}]; })()`;
  for (const each of new vm.Script(source).runInThisContext()) kept.push(each());
}

memprof.start({ sampleInterval: 512, maxOverhead: 1, maxPause: 1000, stackDepth: 128 });
const each = Math.ceil(count / rounds);
let treeNodes = 0;
for (let i = 0; i < rounds; i++) {
  makeSome(i * each, each);
  let last;
  for (let n = 0; n < 20000; n++) last = { n, text: [n, last === undefined] };
  kept[i].push(last);
  treeNodes = Math.max(treeNodes, memprof.status().internal.treeNodes);
}
gc();
memprof.readRecords(true);
memprof.stop();
report({ treeNodes, kept: kept.length });

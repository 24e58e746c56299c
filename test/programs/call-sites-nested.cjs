'use strict';
// Calls whose arguments have calls and objects, on lines of their own, in functions that stay in the compiler of the flags. The size of
// each object tells its line. Prints how many samples have that line.
// usage: call-sites-nested.cjs ROUNDS SAMPLE_INTERVAL
const vm = require('node:vm');
const memprof = require('../../dist');

const [rounds, sampleInterval] = process.argv.slice(2).map(Number);
const FUNCTIONS = 12;
const text = [
  'let now = 0;',
  'function tick() { now = Date.now(); return 3; }',
  'function pick(a, b) { return a; }',
];
const lineOf = {};
let classes = 0;

/** Allocates on the next line an object of a size that no other line has. */
function allocate(before) {
  const fields = Array.from({ length: ++classes }, (_, at) => `this.p${at} = a;`);
  text.unshift(`class C${classes} { constructor(a, b) { ${fields.join(' ')} } }`);
  text.push(`${before}new C${classes}(`);
  return `new C${classes}(`;
}

const sites = [];
for (let f = 0; f < FUNCTIONS; f++) {
  text.push(`function f${f}(i) {`);
  sites.push(allocate('  const a = '));
  text.push('    tick(),');
  sites.push(allocate('    '));
  text.push('      tick(), i),', '  );', '  const b = pick(');
  sites.push(allocate('    '));
  text.push('      i, tick()),');
  sites.push(allocate('    '));
  text.push('      tick(), tick()),', '  );', '  return pick(');
  sites.push(allocate('    '));
  text.push('      tick(),', '      tick()), a, b);', '}');
}
const calls = Array.from({ length: FUNCTIONS }, (_, f) => `f${f}(i);`);
text.push(`(rounds) => { for (let i = 0; i < rounds; i++) { ${calls.join(' ')} } }`);
for (const [at, site] of sites.entries())
  lineOf[24 + 8 * (at + 1)] = text.findIndex((line) => line.includes(site)) + 1;

memprof.start({ callSites: true, sampleInterval, maxOverhead: 1 });
vm.runInThisContext(text.join('\n'), { filename: 'nested.js' })(rounds);
globalThis.gc();
const counts = { right: 0, wrong: 0, unknown: 0 };
for (const record of memprof.readRecords(true)) {
  const stack = record.stack();
  const frame = stack.find(({ functionName }) => /^f\d+$/.test(functionName));
  const line = lineOf[Math.round(record.allocBytes / record.allocObjects)];
  // What `tick` allocates has the size of an object, too.
  if (frame === undefined || line === undefined || stack[0].functionName === 'tick') continue;
  const found = frame.startLine === undefined ? 'unknown' : frame.lineNumber === line ? 'right' : 'wrong';
  counts[found] += record.allocObjects;
}
console.log(JSON.stringify({ ...counts, problem: memprof.status().callSites.problem }));

'use strict';
// An ordinary program: churns, keeps some of it, reads its profile now and then. Arguments: rounds.
const memprof = require('../../dist');
const { report, figuresOf } = require('./support/report.cjs');

const rounds = Number(process.argv[2]);
const kept = [];

function keep(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: `kept ${i}`, more: [i] });
}

function churn(n) {
  const recent = new Map();
  for (let i = 0; i < n; i++) {
    recent.set(i % 500, { i, text: `churned ${i}`, more: [i, i + 1] });
    if (i % 1000 === 0) JSON.parse(JSON.stringify([...recent.values()]));
  }
  return recent.size;
}

memprof.start({ sampleInterval: 8192 });
for (let i = 0; i < rounds; i++) {
  churn(10000);
  keep(500);
  if (i % 10 === 0) memprof.readRecords(true);
}
if (globalThis.gc) gc();
const figures = figuresOf('keep');
memprof.stop();
report({ kept: figures, churned: figuresOf('churn').alloc, length: kept.length });

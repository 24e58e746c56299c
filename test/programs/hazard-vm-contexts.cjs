'use strict';
// Functions of many vm contexts, which are collected while they are profiled. Arguments: contexts.
const vm = require('node:vm');
const memprof = require('../../dist');
const { report, figuresOf } = require('./support/report.cjs');

const count = Number(process.argv[2]);
const script =
  new vm.Script(`function inContext(n) { const made = []; for (let i = 0; i < n; i++) made.push({ i, a: [i] }); return made; }
inContext(2000);`);
let collected = 0;
const registry = new FinalizationRegistry(() => collected++);
const kept = [];

async function main() {
  memprof.start({ sampleInterval: 4096 });
  for (let i = 0; i < count; i++) {
    const context = vm.createContext({ name: i });
    registry.register(context, i);
    const made =
      i % 2 === 0
        ? script.runInContext(context)
        : vm.runInContext(
            `(function own${i}(n) {
      const made = []; for (let i = 0; i < n; i++) made.push({ i, a: [i] }); return made; })(2000)`,
            context,
          );
    if (i % 20 === 0) kept.push(made);
    if (i % 50 === 0) {
      gc();
      await new Promise(setImmediate);
    }
  }
  // Node.js 24 needs several collections and turns before it lets go of contexts, with and without memprof.
  for (let i = 0; i < 40 && collected < count * 0.9; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const figures = figuresOf('inContext');
  const own = figuresOf('own1');
  memprof.stop();
  report({ figures, own, collected });
}

main();

'use strict';
// What a program does that does not know of memprof.
const { fork } = require('node:child_process');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

globalThis.kept = [];
function keepsObjects(count) {
  for (let i = 0; i < count; i++) kept.push({ i, text: [i] });
}
keepsObjects(100000);
const [what] = process.argv.slice(2);
if (!isMainThread) {
  parentPort.postMessage('worker');
} else if (what === 'wait') {
  console.log(process.pid);
  process.stdin.resume().on('end', () => process.exit());
} else if (what === 'worker') {
  new Worker(__filename).on('message', (text) => console.log(text));
} else if (what === 'fork') {
  fork(__filename).on('exit', (code) => console.log(`child ${code}`));
} else {
  console.log('done');
}

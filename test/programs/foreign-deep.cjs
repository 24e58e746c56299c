'use strict';
// An inspector asks for the samples of memprof's sampler, whose stacks are as deep as possible.
const { Session } = require('node:inspector');
const memprof = require('../..');

const DEPTH = 300;
const kept = [];
function grow(left) {
  kept.push(new Array(20).fill(left));
  if (left > 0) grow(left - 1);
}

memprof.start({ sampleInterval: 512, stackDepth: 512 });
for (let i = 0; i < 50; i++) grow(DEPTH);
const session = new Session();
session.connect();
session.post('HeapProfiler.getSamplingProfile', (error, answer) => {
  let deepest = 0;
  const visit = (node, depth) => {
    deepest = Math.max(deepest, depth);
    for (const child of node.children) visit(child, depth + 1);
  };
  if (!error) visit(answer.profile.head, 0);
  let frames = 0;
  for (const record of memprof.readRecords(true)) frames = Math.max(frames, record.stack().length);
  const { source, stackDepth } = memprof.status().heap;
  console.log(JSON.stringify({ error, deepest, frames, source, stackDepth }));
});

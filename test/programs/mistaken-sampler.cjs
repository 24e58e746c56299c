'use strict';
// A sampler that is ours is taken for another's. Does it come back, and what is seen then?
const memprof = require('../../dist');
const { native } = require('../../dist/addon/native.js');
const { figuresOf } = require('./support/report.cjs');

memprof.start({ sampleInterval: 2048 });

function work(kept) {
  for (let i = 0; i < 2_000; i++) kept.push({ i, text: [i] });
}

function workAfterwards(kept) {
  for (let i = 0; i < 20_000; i++) kept.push({ i, text: [i] });
}

/** Takes some hundred samples. */
function allocate() {
  const kept = [];
  work(kept);
  return kept.length;
}

// Many, so that what is allocated below stays little beside it for as long as the loop may have to wait.
for (let i = 0; i < 1600; i++) allocate();
const before = memprof.status();
native().mistakeForAnothers();
const states = [memprof.status().state];
const began = Date.now();
const timer = setInterval(() => {
  allocate();
  const back = native().restart() || memprof.status().state === 'running';
  if (!back && Date.now() - began < 200_000) return;
  clearInterval(timer);
  states.push(memprof.status().state);
  const kept = [];
  workAfterwards(kept);
  memprof.stop();
  // It can be started again, too: nothing of ours runs on.
  memprof.start();
  memprof.stop();
  const { samplesSeen, displaced } = memprof.status().heap;
  console.log(
    JSON.stringify({
      states,
      seenBefore: before.heap.samplesSeen,
      seen: samplesSeen,
      displaced,
      kept: kept.length,
      afterwards: figuresOf('workAfterwards'),
    }),
  );
}, 300);

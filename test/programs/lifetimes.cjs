'use strict';
// Memory that dies young, in middle age, and never. Prints the profile of lifetimes and what is true of the middle-aged.
// usage: lifetimes.cjs direct|public
const memprof = require('../../dist');

memprof.start({ directSamples: process.argv[2] === 'direct', sampleInterval: 16384 });

const ROUNDS = 10;
const EACH = 10_000;
const ring = new Array(EACH).fill(0);
const kept = [];

function temporary() {
  return new Array(200).fill(0);
}
function middle(at) {
  ring[at] = new Array(50).fill(at);
}
function keep() {
  kept.push(new Array(100).fill(1));
}

async function main() {
  // Each object of a round outlives the collection at its end, and is replaced in the next round.
  const births = [];
  const ends = [];
  for (let round = 0; round < ROUNDS; round++) {
    let sum = 0;
    for (let at = 0; at < EACH; at++) {
      temporary();
      middle(at);
      sum += performance.now();
      if (at % 100 === 0) keep();
    }
    births.push(sum / EACH);
    global.gc();
    ends.push(performance.now());
  }
  let [least, most] = [0, 0];
  for (let round = 0; round < ROUNDS - 1; round++) {
    least += (ends[round] - births[round]) / (ROUNDS - 1);
    most += (ends[round + 1] - births[round]) / (ROUNDS - 1);
  }
  const lifetimes = memprof.lookup('lifetimes');
  const profile = (await lifetimes.encode()).toString('base64');
  const refused = await lifetimes.encode({ format: 'text' }).catch(({ code }) => code);
  const folded = String(await lifetimes.encode({ format: 'folded' }));
  const died = EACH * (ROUNDS - 1);
  console.log(JSON.stringify({ profile, refused, folded, died, age: [least, most], kept: kept.length }));
}

void main();

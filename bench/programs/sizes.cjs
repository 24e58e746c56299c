'use strict';
// Garbage of one size: `count` of V8's own byte arrays, objects on its heap as any other, but nobody fills them, which
// would take minutes. Answers with the profile.
const { setFlagsFromString } = require('node:v8');
const { answer, programArguments } = require('../support/program.cjs');
const { profilers } = require('../profilers/index.cjs');

const { profiler: name, size, count, interval, depth } = programArguments();
const HEADER = 16;

setFlagsFromString('--allow-natives-syntax');
const allocateRaw = new Function('count', 'length', 'while (count-- > 0) %AllocateByteArray(length)');

function allocateSizes() {
  allocateRaw(count, size - HEADER);
}

async function main() {
  const profiler = profilers[name].load();
  await profiler.start({ interval, depth });
  allocateSizes();
  const profile = await profiler.read();
  answer({ profile: profile.toString('base64'), gives: profilers[name].gives });
}

main();

'use strict';
// A heap of live objects from very many call paths: nearly every sample has a stack of its own.
const OUTER = 1000;
const INNER = 100;
const SHARED_FRAMES = 10;

const inner = Array.from({ length: INNER }, (_, i) =>
  new Function(`return function leaf${i}(keep) {
    for (let k = 0; k < 8; k++) keep.push(new Array(60).fill(k));
  }`)(),
);
const outer = Array.from({ length: OUTER }, (_, i) =>
  new Function('inner', `return function middle${i}(keep, j) { inner[j](keep); }`)(inner),
);

// Frames above, as a server has them.
function below(frames, keep, i, j) {
  if (frames === 0) outer[i](keep, j);
  else below(frames - 1, keep, i, j);
}

/** Allocates about `bytes` that live as long as what is returned. `next()` is from 0 to 1. */
module.exports = function retain(bytes, next) {
  const keep = [];
  const each = 8 * (16 + 32 + 60 * 8);
  for (let done = 0; done < bytes; done += each) {
    below(SHARED_FRAMES, keep, Math.floor(next() * OUTER), Math.floor(next() * INNER));
  }
  return keep;
};

'use strict';
// A program in a steady state: much garbage of many kinds, a cache of fixed size, some objects that live for a while.
module.exports = function makeWork() {
  const cache = new Map();
  let turn = 0;
  const kinds = Array.from({ length: 50 }, (_, kind) =>
    new Function(
      'cache',
      `return function kind${kind}(turn) {
      let last;
      for (let i = 0; i < 200; i++) last = { turn, i, text: 'text ' + (turn * 200 + i), more: [last === undefined, i] };
      cache.set((turn * 7919) % 5000, { last: JSON.parse(JSON.stringify(last)), bytes: new Array(${10 + kind}).fill(turn) });
    }`,
    )(cache),
  );
  return () => {
    for (const kind of kinds) kind(turn++);
  };
};

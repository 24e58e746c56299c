'use strict';
// Makes V8 forget and make anew the nodes of its call tree, round after round, for SECONDS or until WANTED new ones.
const inspector = require('node:inspector');
const { start, status } = require('../../dist');
const { print } = require('./support/records.cjs');

const [seconds, wanted] = process.argv.slice(2).map(Number);

// Each path is a stack of its own.
const TURNS = 10;
const TAIL = 30;

const sink = { last: undefined };
function left(turns, path) {
  if (turns === 0) tail(TAIL);
  else if (path & 1) left(turns - 1, path >> 1);
  else right(turns - 1, path >> 1);
}
function right(turns, path) {
  if (turns === 0) tail(TAIL);
  else if (path & 1) left(turns - 1, path >> 1);
  else right(turns - 1, path >> 1);
}
/** Makes each path longer by nodes that it shares with no other. */
function tail(depth) {
  if (depth > 0) return tail(depth - 1);
  sink.last = new Array(100);
}

const session = new inspector.Session();
session.connect();
/** Nodes of V8's tree as it is now, by its own account. */
function countTree() {
  let head;
  session.post('HeapProfiler.getSamplingProfile', (_error, { profile }) => {
    head = profile.head;
  });
  let count = 0;
  const left = [head];
  while (left.length > 0) {
    const node = left.pop();
    count++;
    for (const child of node.children) left.push(child);
  }
  return count;
}

start({ directSamples: false, sampleInterval: 64, maxOverhead: 1, maxPause: 1000 });

const rounds = [];
let newNodes = 0;
const deadline = Date.now() + seconds * 1000;
while (newNodes < wanted && Date.now() < deadline) {
  for (let path = 0; path < 2 ** TURNS; path++) left(TURNS, path);
  sink.last = undefined;
  // Reads the tree with all the paths in it; then they die.
  gc();
  const grown = status().internal.treeNodes;
  gc();
  // Reads the tree without them.
  gc();
  const shrunk = status();
  newNodes += grown - shrunk.internal.treeNodes;
  const { treeNodes, isolateBytes } = shrunk.internal;
  rounds.push({ grown, shrunk: treeNodes, tree: countTree(), isolateBytes, stacks: shrunk.tables.stacks });
}
print({ newNodes, rounds, status: status() });

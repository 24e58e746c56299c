'use strict';
// Allocates below deep recursions, and prints what profiles of each format have as the root of these stacks.
// usage: stack-depth.cjs direct|public [MAX TABLE BYTES]
// With the latter, the recursions are 150 different ones, and how long the cut stacks are is printed.
const memprof = require('../../dist');

const [source, maxTableBytes] = [process.argv[2], Number(process.argv[3] ?? 0)];
const MARK = '(truncated)';

const sink = { last: undefined };
function allocate() {
  sink.last = Array.from({ length: 50 }, (_, i) => ({ i }));
}
// The names are how many frames there are below the leaf.
const recursions = {
  'of 40': function of40(n) {
    n === 0 ? allocate() : of40(n - 1);
  },
  'of 400': function of400(n) {
    n === 0 ? allocate() : of400(n - 1);
  },
  'of 900': function of900(n) {
    n === 0 ? allocate() : of900(n - 1);
  },
};

/** The ends of stacks that have a function of this name, and how many there are. */
function rootsOf(name, stacks) {
  const roots = {};
  for (const stack of stacks) {
    if (!stack.includes(name)) continue;
    const root = stack.at(-1) === MARK ? MARK : 'whole';
    roots[root] = (roots[root] ?? 0) + 1;
  }
  return roots;
}

const names = (stack) => stack.map(({ functionName }) => functionName);

/** Stacks of names, leaf first, as each format has them. */
async function stacksOf() {
  const heap = memprof.lookup('heap');
  const encode = (format) =>
    heap.encode({ format, ...(format === 'text' ? {} : { sampleType: 'alloc_space' }) });
  const parsed = async (format) =>
    memprof.parseProfile(await encode(format)).samples.map(({ stack }) => names(stack));
  const folded = String(await encode('folded'))
    .split('\n')
    .map((line) => line.slice(0, line.lastIndexOf(' ')).split(';').reverse())
    .map((stack) => stack.map((frame) => /^\S+/.exec(frame)?.[0] ?? ''));
  const devtools = [];
  const visit = ({ callFrame, selfSize, children }, above) => {
    const stack = [callFrame.functionName, ...above];
    if (selfSize > 0) devtools.push(stack.slice(0, -1));
    for (const child of children) visit(child, stack);
  };
  const { head } = JSON.parse(await encode('heapprofile'));
  visit(head, []);
  const records = memprof.readRecords(true).map((record) => names(record.stack()));
  const marks = head.children.filter(({ callFrame }) => callFrame.functionName === MARK).length;
  return { marks, records, pprof: await parsed('pprof'), text: await parsed('text'), folded, devtools };
}

/** Recursions of 700 calls, of which no two have the same order. */
function varied() {
  const turns = new Uint8Array(701);
  const left = (n) => (n === 0 ? allocate() : turns[n] === 0 ? left(n - 1) : right(n - 1));
  const right = (n) => (n === 0 ? allocate() : turns[n] === 0 ? left(n - 1) : right(n - 1));
  for (let i = 0; i < 150; i++) {
    for (let n = 0; n < turns.length; n++) turns[n] = Math.random() < 0.5 ? 0 : 1;
    left(700);
    if (i % 10 !== 9) continue;
    // A collection takes new stacks to the tables only as far as it has time; a reader has.
    memprof.readRecords(true);
    gc();
  }
  const cut = memprof
    .readRecords(true)
    .map((record) => names(record.stack()))
    .filter((stack) => stack.at(-1) === MARK);
  const { heap, tables } = memprof.status();
  const lengths = [...new Set(cut.map((stack) => stack.length))].sort((a, b) => a - b);
  const { source: from, sourceProblem } = heap;
  console.log(
    JSON.stringify({ source: from, sourceProblem, lengths, cut: tables.cutStacks + tables.overflowSamples }),
  );
}

async function main() {
  const limit = maxTableBytes === 0 ? {} : { maxTableBytes };
  memprof.start({ directSamples: source === 'direct', sampleInterval: 2048, ...limit });
  if (maxTableBytes !== 0) return varied();
  for (let i = 0; i < 500; i++) {
    for (const [name, recurse] of Object.entries(recursions)) recurse(Number(name.slice(3)));
  }
  gc();
  const { heap, tables, overhead } = memprof.status();
  const { limited } = overhead;
  const { marks, ...stacks } = await stacksOf();
  const roots = {};
  for (const { name } of Object.values(recursions)) {
    roots[name] = {};
    for (const [format, each] of Object.entries(stacks)) roots[name][format] = rootsOf(name, each);
  }
  const deepest = Math.max(...stacks.records.map((stack) => stack.length));
  const { source: from, sourceProblem } = heap;
  const { cutStacks, overflowSamples } = tables;
  console.log(
    JSON.stringify({
      ...{ source: from, sourceProblem, depth: heap.stackDepth, deepest, roots, limited },
      ...{ marks, cut: cutStacks + overflowSamples, compared: memprof.status().internal.stacksCompared },
    }),
  );
}

main();

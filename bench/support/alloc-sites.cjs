'use strict';
// Allocated bytes by stack, from whatever form a profiler gives its profile in.
const { gunzipSync } = require('node:zlib');
const { parseProfile } = require('../..');

// Profilers name functions without a name each in its own way, and memprof tells V8's built-in functions from others.
function frameName(functionName, file) {
  const name = /^(\(anonymous.*\))?$/.test(functionName)
    ? '(anonymous)'
    : functionName.replace(/^\(builtin (.*)\)$/, '$1');
  return `${name} ${file.replace(/^file:\/\//, '')}`;
}

// Node's and V8's JSON: a tree, each node with all bytes of its own.
function sitesOfTree({ head }) {
  const sites = [];
  const visit = (node, above) => {
    const { functionName, url } = node.callFrame;
    const stack = [frameName(functionName, url), ...above];
    if (node.selfSize > 0) sites.push({ stack, bytes: node.selfSize });
    for (const child of node.children) visit(child, stack);
  };
  visit(head, []);
  return sites;
}

function sitesOfProto(buffer) {
  const { sampleTypes, samples } = parseProfile(buffer);
  const at = sampleTypes.findIndex(({ type }) => type === 'alloc_space');
  if (at < 0) throw new Error(`no alloc_space in ${JSON.stringify(sampleTypes)}`);
  return samples.map(({ values, stack }) => ({
    stack: stack.map(({ functionName, fileName }) => frameName(functionName, fileName)),
    bytes: values[at],
  }));
}

/** `{ stack, bytes }` for each stack, leaf first, a frame being function and file. */
function allocSites({ profile, gives }) {
  const buffer = Buffer.from(profile, 'base64');
  return gives === 'proto' ? sitesOfProto(buffer) : sitesOfTree(JSON.parse(gunzipSync(buffer)));
}

/** Each function's share of the allocated bytes, as the one that allocated; what is no function's own is left out. */
function sharesByFunction(sites) {
  const shares = new Map();
  let sum = 0;
  for (const { stack, bytes } of sites) {
    const leaf = stack[0];
    // Memory outside the heap, what native code allocates on it, and V8's root.
    if (leaf === undefined || /^\((root|external)\) /i.test(leaf)) continue;
    shares.set(leaf, (shares.get(leaf) ?? 0) + bytes);
    sum += bytes;
  }
  for (const [leaf, bytes] of shares) shares.set(leaf, bytes / sum);
  return shares;
}

/** Half the sum of differences: 0 when two splits are the same, 1 when they have nothing in common. */
function distance(a, b) {
  let sum = 0;
  for (const key of new Set([...a.keys(), ...b.keys()]))
    sum += Math.abs((a.get(key) ?? 0) - (b.get(key) ?? 0));
  return sum / 2;
}

module.exports = { allocSites, distance, sharesByFunction };

'use strict';
// memprof and its peers behind one interface: `start({ interval, depth })`, and `read()`, which resolves with a gzipped
// profile. Whatever is compared is given the same interval and the same depth.
const path = require('node:path');

const nothing = { start() {}, read: () => Buffer.alloc(0) };

const profilers = {
  none: { label: 'none', modes: '', load: () => nothing },
  'none-again': { label: 'none again (A/A)', modes: '', load: () => nothing },
  ...require('./memprof.cjs'),
  ...require('./datadog.cjs'),
  ...require('./google.cjs'),
  ...require('./node-core.cjs'),
};

/** Why a profiler cannot be measured here, or undefined. */
function problemOf(name) {
  const { needsNode, load } = profilers[name];
  const line = Number(process.versions.node.split('.')[0]);
  if (needsNode !== undefined && line < needsNode) return `needs Node.js ${needsNode}, this is ${line}`;
  if (name.startsWith('memprof')) return undefined; // whether it loads is found out in a child
  try {
    load();
    return undefined;
  } catch (error) {
    // Results are committed: they name no path of this machine.
    if (error.code === 'ERR_DLOPEN_FAILED') return 'its binary was built for another Node.js';
    return String(error.message).split('\n')[0].replaceAll(path.join(__dirname, '..'), 'bench');
  }
}

/** Those of `names` that work here; says why the others do not. */
function usable(names) {
  const missing = {};
  const found = names.filter((name) => {
    const problem = problemOf(name);
    if (problem !== undefined) {
      missing[name] = problem;
      console.log(`Without ${titleOf(name)}: ${problem}`);
    }
    return problem === undefined;
  });
  return { found, missing };
}

function titleOf(name) {
  const { label, modes } = profilers[name];
  return modes === '' ? label : `${label}, ${modes}`;
}

module.exports = { profilers, titleOf, usable };

'use strict';
// Loads the package in DIRECTORY, in a Node.js that claims to have ABI (if given), and tells how that went.

const [directory, abi] = process.argv.slice(2);
if (abi) Object.defineProperty(process, 'versions', { value: { ...process.versions, modules: abi } });

const memprof = require(directory);

function failureOf(call) {
  try {
    call();
    return null;
  } catch (error) {
    const { name, code, message, cause } = error;
    return { name, code, message, cause: cause?.message };
  }
}

const failures = [
  memprof.start,
  () => memprof.MemProfile(null, true),
  memprof.readMemStats,
  () => memprof.lookup('heap').count(),
].map(failureOf);
const { state, unavailable, heap, threads } = memprof.status();
const stopping = failureOf(memprof.stop);
require('node:fs').writeSync(
  1,
  JSON.stringify({
    failures,
    status: { state, unavailable, samplesSeen: heap.samplesSeen, threads },
    stopping,
  }),
);

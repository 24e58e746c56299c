'use strict';
// Loads the package in DIRECTORY, in a Node.js that claims to have ABI (if given), and tells how that went.

const [directory, abi] = process.argv.slice(2);
if (abi) Object.defineProperty(process, 'versions', { value: { ...process.versions, modules: abi } });

const memprof = require(directory);
const failures = [];
for (const call of [memprof.start, memprof.status, () => memprof.MemProfile(null, true)]) {
  try {
    call();
    failures.push(null);
  } catch (error) {
    const { name, code, message, cause } = error;
    failures.push({ name, code, message, cause: cause?.message });
  }
}
require('node:fs').writeSync(1, JSON.stringify(failures));

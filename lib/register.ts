// `node --import memprof/register app.js` (or `--require`) profiles the program and its workers without a change of code.
// This file must never keep the program from running, or change how it ends.

import type * as Say from './base/say.js';
import type * as Begin from './launch/start-registered.js';

const loaded = Symbol.for('memprof.register');
const here = globalThis as { [loaded]?: true };

// There are no static imports, because loading may fail too and must be caught.
try {
  // A worker may load this twice: through inherited flags, and through memprof's wrapper around `Worker`.
  if (here[loaded] === undefined) {
    here[loaded] = true;
    (require('./launch/start-registered.js') as typeof Begin).beginRegistered(process.env);
  }
} catch (error) {
  try {
    const { warn } = require('./base/say.js') as typeof Say;
    warn(`memprof is not running: ${(error as Error).message}`, 'MEMPROF_REGISTER');
  } catch {}
}

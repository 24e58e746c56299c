// `node --import memprof/register app.js`, or `--require`: profiles the program, and its workers, without a change of
// code. Must never keep the program from running, or change how it ends.

import type * as Say from './base/say.js';
import type * as Begin from './launch/begin.js';

const loaded = Symbol.for('memprof.register');
const here = globalThis as { [loaded]?: true };

// Loading may fail as well, so there are no imports.
try {
  // A worker may be given it twice, by its parent's flags and by memprof's own wrapper.
  if (here[loaded] === undefined) {
    here[loaded] = true;
    (require('./launch/begin.js') as typeof Begin).beginDropIn(process.env);
  }
} catch (error) {
  try {
    const { warn } = require('./base/say.js') as typeof Say;
    warn(`memprof does not run: ${(error as Error).message}`, 'MEMPROF_REGISTER');
  } catch {}
}

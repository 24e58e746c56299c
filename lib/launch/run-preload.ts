// Loaded by the program that `memprof run` runs before anything of its own, and in its workers. Must never keep the
// program from running, or change how it ends.

import type * as Say from '../base/say.js';
import type * as Begin from './begin-run.js';

const loaded = Symbol.for('memprof.run');
const here = globalThis as { [loaded]?: true };

// Loading may fail as well, so there are no imports.
try {
  if (here[loaded] === undefined) {
    here[loaded] = true;
    (require('./begin-run.js') as typeof Begin).beginRun(process.env);
  }
} catch (error) {
  try {
    (require('../base/say.js') as typeof Say).warn(`memprof does not run: ${(error as Error).message}`);
  } catch {}
}

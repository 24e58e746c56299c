// `memprof run` makes the program load this before its own code, also in workers. This file must never keep the program
// from running, or change how it ends.

import type * as Say from '../base/say.js';
import type * as Begin from './start-run.js';

const loaded = Symbol.for('memprof.run');
const here = globalThis as { [loaded]?: true };

// There are no static imports, because loading may fail too and must be caught.
try {
  if (here[loaded] === undefined) {
    here[loaded] = true;
    (require('./start-run.js') as typeof Begin).beginRun(process.env);
  }
} catch (error) {
  try {
    (require('../base/say.js') as typeof Say).warn(`memprof is not running: ${(error as Error).message}`);
  } catch {}
}

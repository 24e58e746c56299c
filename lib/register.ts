// `node --import memprof/register app.js`, or `--require`: profiles the program, and its workers, without a change of
// code. Must never keep the program from running, or change how it ends.
import { resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { beginDropIn } from './launch/begin.js';
import { readSettings } from './launch/settings.js';

const loaded = Symbol.for('memprof.register');
const here = globalThis as { [loaded]?: true };

// A worker may be given it twice, by its parent's flags and by memprof's own wrapper.
if (here[loaded] === undefined) {
  here[loaded] = true;
  const { settings, problems } = readSettings(process.env);
  settings.dir = resolve(settings.dir);
  beginDropIn(settings, isMainThread ? problems : []);
}

// `node --require memprof/register app.js`: profiles the program, and its workers, without a change of code. Must never
// keep the program from running.
import { start } from './profiler.js';

try {
  start();
} catch (error) {
  process.emitWarning(`memprof does not run: ${(error as Error).message}`, { type: 'MemprofWarning' });
}

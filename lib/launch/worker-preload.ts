// What workers load first that memprof covers by itself. A process that such a worker forks inherits the flag, and is
// not to be profiled for that.
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) require('../register.js');

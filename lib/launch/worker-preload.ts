// Workers that memprof's wrapper creates load this first. A process forked by such a worker inherits the flag that loads
// this file, but must not be profiled because of it.
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) require('../register.js');

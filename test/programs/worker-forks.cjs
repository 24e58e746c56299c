'use strict';
// A worker that memprof covers forks a process: what is memprof's there?
const { fork } = require('node:child_process');
const threads = require('node:worker_threads');
const { start, status } = require('../..');

if (process.argv[2] === 'forked') {
  console.log(`forked ${status().state} ${process.listenerCount('SIGUSR2')}`);
} else if (threads.isMainThread) {
  start({ workers: true });
  new threads.Worker(__filename);
} else {
  console.log(`worker ${status().state}`);
  fork(__filename, ['forked']);
}

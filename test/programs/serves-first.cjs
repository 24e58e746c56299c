'use strict';
// Loaded before the program, in whatever thread reads the flag: makes a server of its own there.
const { threadId } = require('node:worker_threads');
const { serve } = require('../../dist/http');

require('node:fs').writeSync(1, `thread ${threadId}\n`);
serve({ port: 0 }).then(
  () => setTimeout(() => process.exit(), 1000),
  (error) => console.log(error.message),
);

'use strict';
// A module for countObjects that also says when, and where, it is loaded.
const fs = require('node:fs');
if (process.env.COUNTED_LOG) fs.appendFileSync(process.env.COUNTED_LOG, `${process.pid}\n`);

exports.four = () => [{ x: 1 }, { y: 2 }];
exports.spins = () => {
  for (;;);
};
exports.waits = () => new Promise(() => setInterval(() => {}, 1000));

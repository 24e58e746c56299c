'use strict';
// Counts the objects of an export of counted.cjs, or of a module of its own, and prints how many.
const path = require('node:path');
const { countObjects } = require('../../dist/bench');

const { COUNT_MODULE = path.join(__dirname, 'counted.cjs'), COUNT_EXPORT = 'four' } = process.env;
countObjects(COUNT_MODULE, COUNT_EXPORT, { warmUp: 20, time: 20 }).then(
  ({ objectsPerOp }) => console.log(`objects ${objectsPerOp}`),
  (error) => console.log(`${error.code} ${error.message}`),
);
exports.four = () => [{ x: 1 }, { y: 2 }];

'use strict';
const { writeSync } = require('node:fs');
const { readRecords } = require('../../../dist');

/** All records in plain objects; stacks as function names, leaf first. */
exports.plainRecords = (inuseZero = true) =>
  readRecords(inuseZero).map((record) => ({
    allocBytes: record.allocBytes,
    freeBytes: record.freeBytes,
    allocObjects: record.allocObjects,
    freeObjects: record.freeObjects,
    functions: record.stack().map((frame) => frame.functionName),
  }));

/**
 * The most a test program ever prints: goes out whole, also when the process ends right after. A worker makes Node.js
 * set the pipe non-blocking: a write may then take a part, or nothing.
 */
exports.print = (value) => {
  let rest = Buffer.from(JSON.stringify(value));
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
};

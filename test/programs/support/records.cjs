'use strict';
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

/** The most a test program ever prints: goes out whole, also when the process ends right after. */
exports.print = (value) => require('node:fs').writeSync(1, JSON.stringify(value));

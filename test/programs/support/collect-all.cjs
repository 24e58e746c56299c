'use strict';
const { setTimeout: sleep } = require('node:timers/promises');

/** Collects until no more buffers go: their memory is freed by another thread, some time after the collection. */
exports.collectAll = async function collectAll() {
  for (let before = Number.POSITIVE_INFINITY, same = 0; same < 3; ) {
    gc();
    await sleep(20);
    const { arrayBuffers } = process.memoryUsage();
    same = arrayBuffers < before ? 0 : same + 1;
    before = arrayBuffers;
  }
};

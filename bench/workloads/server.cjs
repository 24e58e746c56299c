'use strict';
// The JSON service of server-app.cjs, driven in process.
const { buildApp, request } = require('./server-app.cjs');

const app = buildApp();
let count = 0;

/** One batch of requests. */
module.exports = async function serveBatch() {
  for (let i = 0; i < 50; i++) await app.inject(request(count++));
};

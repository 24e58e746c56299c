'use strict';
// Drives the HTTP service with autocannon, first to warm it up, then measured: every connection sends the next request
// when the last is answered. Latencies are those of single requests, since autocannon's own histogram has whole
// milliseconds only.
const autocannon = require('autocannon');
const { answer, programArguments } = require('../support/program.cjs');
const { quantile } = require('../support/statistics.cjs');
const { request } = require('../workloads/server-app.cjs');

const { port, amount, seconds, connections } = programArguments();

const requests = Array.from({ length: 500 }, (_, n) => {
  const { method, url, payload } = request(n);
  const body = payload && JSON.stringify(payload);
  return { method, path: url, ...(body && { body, headers: { 'content-type': 'application/json' } }) };
});

async function run(size) {
  const latencies = [];
  const instance = autocannon({ url: `http://127.0.0.1:${port}`, connections, requests, ...size });
  let failed = 0;
  instance.on('response', (_client, status, _bytes, ms) => {
    latencies.push(ms);
    if (status !== 200) failed++;
  });
  const result = await instance;
  if (failed + result.errors + result.timeouts > 0) throw new Error(`${failed} requests failed`);
  return latencies;
}

async function main() {
  await run({ amount: Math.ceil(amount / 4) });
  const latencies = await run(seconds > 0 ? { duration: seconds } : { amount });
  answer({
    requests: latencies.length,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    p999: quantile(latencies, 0.999),
    max: quantile(latencies, 1),
  });
}

main();

'use strict';
// Serves the JSON service over HTTP under a profiler until told to end; then says what CPU time the process took.
const { programArguments } = require('../support/program.cjs');
const { profilers } = require('../profilers/index.cjs');

const { profiler: name, interval, depth } = programArguments();

async function main() {
  const profiler = profilers[name].load();
  await profiler.start({ interval, depth });
  const app = require('../workloads/server-app.cjs').buildApp();
  await app.listen({ port: 0, host: '127.0.0.1' });
  process.once('message', () => {
    const { user, system } = process.cpuUsage();
    const result = { cpuMs: (user + system) / 1000, wallMs: performance.now(), status: profiler.status?.() };
    process.send(result, () => process.exit());
  });
  process.send({ port: app.server.address().port });
}

main();

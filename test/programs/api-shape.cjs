'use strict';
// What is disposable, and what the channels say.
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const inspector = require('node:inspector');
const { setTimeout: sleep } = require('node:timers/promises');
const memprof = require('../../dist');
const { serve } = require('../../dist/http.js');
const { push } = require('../../dist/pyroscope.js');

async function main() {
  const report = { symbols: [typeof Symbol.dispose, typeof Symbol.asyncDispose] };
  const timersBefore = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const running = memprof.start({ sampleInterval: 1024 });
  report.state = memprof.status().state;
  running[Symbol.dispose]();
  report.disposed = memprof.status().state;
  memprof.start().stop();
  report.stopped = memprof.status().state;

  const server = await serve({ port: 0 });
  report.served = (await fetch(`${server.url}cmdline`)).status;
  await server[Symbol.asyncDispose]();
  report.closed = await fetch(`${server.url}cmdline`).then(
    () => 'answers',
    () => 'closed',
  );
  const pushing = push({ url: 'http://127.0.0.1:1', name: 'x', fetch: async () => new Response('ok') });
  report.stopsWith = pushing.stop() === pushing[Symbol.asyncDispose]();
  await pushing.stop();

  memprof.start();
  gc();
  report.unheard =
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length - timersBefore;
  const messages = { harvest: [], displaced: [] };
  const hear = (message, name) => messages[name.slice('memprof:'.length)].push(message);
  subscribe('memprof:harvest', hear);
  subscribe('memprof:displaced', hear);
  const kept = [];
  for (let i = 0; i < 20 && messages.harvest.length === 0; i++) {
    for (let k = 0; k < 1000; k++) kept.push({ k });
    gc();
    await sleep(200);
  }
  report.harvest = messages.harvest[0];
  unsubscribe('memprof:harvest', hear);

  const session = new inspector.Session();
  session.connect();
  session.post('HeapProfiler.enable');
  session.post('HeapProfiler.stopSampling');
  for (let i = 0; i < 50 && messages.displaced.length === 0; i++) {
    for (let k = 0; k < 1000; k++) kept.push({ k });
    gc();
    await sleep(50);
  }
  report.displaced = messages.displaced[0];
  report.kept = kept.length;
  console.log(JSON.stringify(report));
}

main();

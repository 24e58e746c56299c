'use strict';
// Prints, as JSON, what each part of memprof calls the program that required this file.
const { PassThrough } = require('node:stream');
const { buffer } = require('node:stream/consumers');
const memprof = require('../../dist');
const { serve, handler } = require('../../dist/http');
const { push } = require('../../dist/pyroscope');

const nameIn = (proto) => memprof.parseProfile(proto).mappings[0].fileName;

async function pages(base) {
  const get = async (page) => Buffer.from(await (await fetch(base + page)).arrayBuffer());
  return {
    heap: nameIn(await get('heap')),
    flame: /<title>(.*), process \d+<\/title>/.exec(await get('flame'))[1],
    cmdline: (await get('cmdline')).toString().split('\0'),
  };
}

exports.report = async () => {
  memprof.start();
  globalThis.kept = Array.from({ length: 500_000 }, (_, i) => ({ i }));
  const sink = new PassThrough();
  await memprof.lookup('heap').writeTo(sink, 0);
  const served = await serve({ port: 0 });
  const mounted = require('node:http').createServer(handler()).listen(0, '127.0.0.1');
  await new Promise((resolve) => mounted.once('listening', resolve));
  let pushed;
  const pushing = push({
    url: 'http://127.0.0.1:9',
    name: 'x',
    fetch: async (_url, { body }) => {
      const text = Buffer.from(body);
      pushed = nameIn(text.subarray(text.indexOf('\r\n\r\n') + 4, text.indexOf('\r\n--memprof-', 9)));
      return new Response('');
    },
  });
  await pushing.stop();
  const report = {
    file: nameIn(await buffer(sink.end())),
    pushed,
    served: await pages(served.url),
    mounted: await pages(`http://127.0.0.1:${mounted.address().port}/debug/pprof/`),
  };
  mounted.closeAllConnections();
  mounted.close();
  await served.close();
  return report;
};

exports.print = () => exports.report().then((report) => console.log(JSON.stringify(report)));

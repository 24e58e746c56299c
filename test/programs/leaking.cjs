'use strict';
// A server with an array that grows with every request. Writes the profile as text to stdout.
const http = require('node:http');
const { lookup, start } = require('../../dist');

const history = [];
function rememberRequest(request) {
  history.push({ url: request.url, buckets: new Array(5000) });
}

function answer(request, response) {
  rememberRequest(request);
  const rows = Array.from({ length: 1000 }, (_, index) => ({ index, text: `row ${index}` }));
  response.end(JSON.stringify(rows));
}

function get(port) {
  return new Promise((resolve, reject) => {
    http
      .get({ port, host: '127.0.0.1' }, (response) => response.resume().on('end', resolve))
      .on('error', reject);
  });
}

async function main() {
  start({ sampleInterval: 32768 });
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  for (let n = 0; n < 300; n++) await get(server.address().port);
  server.close();
  gc();
  gc();
  await lookup('heap').writeTo(process.stdout, 1);
}

main();

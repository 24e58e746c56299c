'use strict';
// Streams a file to whoever asks. Arguments: the file, whether buffers are profiled. Prints its port; `/cpu` tells
// its CPU time in microseconds.
const fs = require('node:fs');
const http = require('node:http');
const { pipeline } = require('node:stream');

const [file, profiled] = process.argv.slice(2);
if (profiled === 'true') require('../..').start({ buffers: true });
else if (profiled === 'heap') require('../..').start();

const server = http.createServer((request, response) => {
  if (request.url === '/cpu') {
    const { user, system } = process.cpuUsage();
    response.end(String(user + system));
    return;
  }
  pipeline(fs.createReadStream(file), response, () => {});
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit());

'use strict';
// An Express app with the handler mounted: prints its port, then its resident memory (KiB) each second.
const express = require('express');
const { start } = require('../../dist');
const { handler } = require('../../dist/http');

start({ sampleInterval: 65536 });
const app = express();
app.use(handler());
app.get('/work', (_request, response) => {
  const items = Array.from({ length: 200 }, (_, n) => ({ n, name: `item ${n}` }));
  response.json({ count: items.length, last: items.at(-1) });
});
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
setInterval(() => console.log(Math.round(process.memoryUsage.rss() / 1024)), 1000).unref();
process.stdin.resume().on('end', () => process.exit());

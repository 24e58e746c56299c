// A cluster whose processes share one address for their profiles:
//
//   MEMPROF_HTTP=6060 node --import memprof/register server.js
//
// http://127.0.0.1:6060/debug/pprof/ lists the processes; ?pid=all adds them up, ?pid=4711 shows one. When the process that
// listens ends, another takes over. WORKERS is the number of processes besides the primary, 4 by default.

const cluster = require('node:cluster');
const { createServer } = require('node:http');

const cache = new Map();

function remember(url) {
  cache.set(url, { url, rows: Array.from({ length: 100 }, (_, at) => ({ at, url })) });
}

if (cluster.isPrimary) {
  for (let at = 0; at < Number(process.env.WORKERS ?? 4); at++) cluster.fork();
  let listening = 0;
  cluster.on('listening', (_, { port }) => {
    if (++listening === Object.keys(cluster.workers).length) console.log(`http://127.0.0.1:${port}/`);
  });
  process.on('SIGTERM', () => cluster.disconnect());
} else {
  createServer((request, response) => {
    remember(`${request.url}?${cache.size}`);
    response.end(`${process.pid} remembers ${cache.size} answers\n`);
  }).listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
}

// A server whose memory Prometheus watches: node server.js, then prometheus --config.file=prometheus.yml

const { createServer } = require('node:http');
const memprof = require('memprof');
const { memprofMetrics } = require('memprof/prometheus');
const { register } = require('prom-client');

memprof.start();
memprofMetrics();

const recent = [];

function answer(url) {
  recent.push({ url, rows: Array.from({ length: 200 }, (_, at) => `<li>${at}`) });
  if (recent.length > 500) recent.shift();
  return `<ul>${recent.at(-1).rows.join('')}</ul>`;
}

const server = createServer(async (request, response) => {
  if (request.url === '/metrics') {
    response.setHeader('Content-Type', register.contentType);
    response.end(await register.metrics());
  } else response.end(answer(request.url));
});

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});

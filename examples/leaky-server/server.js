// A server with three leaks, to try memprof on: see README.md.

const { EventEmitter } = require('node:events');
const { createServer } = require('node:http');

const sessions = new Map();
const uploads = [];
const bus = new EventEmitter();
bus.setMaxListeners(0);

/** Leak 1: the key is a new object each time, so nothing is ever found again, and nothing is deleted. */
function rememberSession(request) {
  const key = { url: request.url, at: Date.now() };
  sessions.set(key, {
    headers: { ...request.headers },
    visits: Array.from({ length: 200 }, (_, at) => ({ at })),
  });
  return key;
}

/** Leak 2: each request adds a listener, and none takes it away. What it closes over stays. */
function subscribe(request) {
  const history = Array.from({ length: 300 }, (_, at) => ({ at, url: request.url }));
  bus.on('tick', () => history.length);
}

/** Leak 3: memory outside of V8's heap. */
function keepUpload() {
  uploads.push(Buffer.alloc(16 * 1024, 'x'));
}

/** No leak: all of it is garbage when the answer is sent. */
function render(request) {
  const rows = Array.from({ length: 500 }, (_, at) => `<li>${at} ${request.url}</li>`);
  return `<ul>${rows.join('')}</ul>`;
}

const server = createServer((request, response) => {
  rememberSession(request);
  subscribe(request);
  keepUpload();
  response.setHeader('Content-Type', 'text/html');
  response.end(render(request));
});

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/, process ${process.pid}`);
});

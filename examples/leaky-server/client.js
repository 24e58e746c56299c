// Asks the leaky server 60 times a second, or as often as the second argument says: node client.js http://127.0.0.1:8080/ 60

const { Agent, get } = require('node:http');

const [url = 'http://127.0.0.1:8080/', perSecond = '60'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
let count = 0;

setInterval(() => {
  get(`${url}?n=${count++}`, { agent }, (response) => response.resume()).on('error', ({ code, message }) => {
    // A connection may be closed while `memprof why` stops the server for a moment.
    if (code === 'ECONNRESET') return;
    console.error(message);
    process.exitCode = 1;
    process.exit();
  });
}, 1000 / Number(perSecond));

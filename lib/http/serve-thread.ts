// The thread of `serve()`: it answers requests even while the program is busy.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Pages } from './handler.js';
import type { ThreadReport, ThreadSettings } from './serve.js';

const { port, host, commandLine, program, handler } = workerData as ThreadSettings;
const pages = new Pages(handler, commandLine, program);

const server = createServer((request, response) => pages.handle(request, response));
// Clients that connect and then send or read nothing are cut off.
server.headersTimeout = 10_000;
server.requestTimeout = 30_000;
server.maxConnections = 100;

const report = (message: ThreadReport) => parentPort!.postMessage(message);
server.once('error', (error: NodeJS.ErrnoException) => report({ code: error.code, message: error.message }));
server.listen(port, host, () => {
  const address = server.address() as AddressInfo;
  report({ port: address.port, host: address.address });
});

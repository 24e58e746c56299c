// The thread of `serve()`: it answers requests even while the program is busy.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { say } from '../base/say.js';
import { Family } from './family.js';
import { setCommonHeaders } from './go-forms.js';
import { Pages } from './handler.js';
import type { ThreadReport, ThreadSettings } from './serve.js';

const { port, host, commandLine, program, handler, shared } = workerData as ThreadSettings;
const report = (message: ThreadReport) => parentPort!.postMessage(message);

// A port is soon free again, or its holder soon known, when many processes begin at once.
const TRIES = 15;
const TRY_MS = 200;
const TAKE_OVER_MS = 1000;

/** Listens; resolves to the error if it cannot. */
function listen(pages: Pages): Promise<AddressInfo | NodeJS.ErrnoException> {
  const server = createServer((request, response) => {
    if (request.url !== '/') return pages.handle(request, response);
    setCommonHeaders(response);
    response.writeHead(302, { Location: '/debug/pprof/', 'Content-Length': 0 }).end();
  });
  // Clients that connect and then send or read nothing are cut off.
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.maxConnections = 100;
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

const isError = (listening: AddressInfo | NodeJS.ErrnoException): listening is NodeJS.ErrnoException =>
  listening instanceof Error;

async function joinFamily(): Promise<Family | undefined> {
  if (!shared || port === 0 || process.platform === 'win32') return undefined;
  try {
    // Only this user's processes reach the socket, and the holder of the port has checked who asks.
    const { token: _, ...own } = handler;
    const pages = new Pages({ ...own, insecure: true }, commandLine, program, { isPrivate: true });
    return await Family.join(port, (request, response) => pages.handle(request, response));
  } catch {
    return undefined; // No such directory, or a path that is too long for a socket.
  }
}

async function begin(): Promise<void> {
  const family = await joinFamily();
  const pages = new Pages(handler, commandLine, program, { family });
  let listening = await listen(pages);
  for (
    let tries = 0;
    isError(listening) && listening.code === 'EADDRINUSE' && family !== undefined;
    tries++
  ) {
    const holder = family.holder();
    if (holder !== undefined) {
      report({ port, host, holder });
      return takeOver(family, pages);
    }
    if (tries === TRIES) break;
    await sleep(TRY_MS);
    listening = await listen(pages);
  }
  if (isError(listening)) return report({ code: listening.code, message: listening.message });
  family?.hold();
  report({ port: listening.port, host: listening.address });
}

/** Waits until the holder has ended, and takes the port. */
async function takeOver(family: Family, pages: Pages): Promise<void> {
  for (;;) {
    await sleep(TAKE_OVER_MS * (0.75 + Math.random() / 2));
    // As long as the holder lives there is no need to try.
    if (family.holder() !== undefined) continue;
    if (isError(await listen(pages))) continue;
    family.hold();
    say(`process ${process.pid} serves port ${port} now`);
    return;
  }
}

void begin();

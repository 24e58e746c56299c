import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { printable } from '../base/text.js';
import { refusal } from '../http/guard.js';
import { isUrl } from './addresses.js';
import type { Command } from './command.js';
import { makeFlamePage } from './flame.js';
import { expectFiles } from './report-commands.js';
import { SOURCES } from './sources.js';

/** Opens the address in the user's browser, if there is one. */
function openBrowser(address: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '']
        : ['xdg-open'];
  const child = spawn(command!, [...args, address], { stdio: 'ignore', detached: true });
  child.on('error', () => {}); // The address is printed.
  child.unref();
}

export const open: Command = {
  name: 'open',
  summary: 'show profiles as a page in the browser',
  usage: 'open [options] FILE|URL...',
  details: `${SOURCES}
Serves the flame page on a port of 127.0.0.1, prints its address, and opens it in the browser. What comes from an
address is fetched again whenever the page is loaded, which the page can do by itself. Ends at Ctrl-C.`,
  operands: 'file',
  async run(args) {
    const files = expectFiles(args, 'open');
    const live = files.some(isUrl);
    // A file is read once; then it may go away.
    let page = await makeFlamePage(args, files, 'open', live);
    let isFresh = true;
    const server = createServer(async (request, response) => {
      const refused = refusal(request);
      const isPage = request.url === '/' || request.url?.startsWith('/?') === true;
      response.setHeader('X-Content-Type-Options', 'nosniff');
      if (refused !== undefined || !isPage) {
        response.writeHead(refused === undefined ? 404 : 403).end();
        return;
      }
      try {
        if (live && !isFresh) page = await makeFlamePage(args, files, 'open', live);
        isFresh = false;
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        response.end(page);
      } catch (error) {
        response.setHeader('Content-Type', 'text/plain; charset=utf-8');
        response.writeHead(502).end(`${(error as Error).message}\n`);
      }
    });
    server.listen(args.values.port as number, '127.0.0.1');
    await once(server, 'listening');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const names = files.map((file) => (isUrl(file) ? file : path.basename(file))).join(' + ');
    const told = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    process.stdout.write(`${address}\n`);
    process.stderr.write(`memprof: serves ${printable(names)} there until Ctrl-C\n`);
    if (args.values.browser !== false) openBrowser(address);
    await told;
    server.close();
    server.closeAllConnections();
    return 0;
  },
};

import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { native } from '../addon/native.js';
import { completeOptions } from '../base/check-options.js';
import { asyncDisposable } from '../base/disposable.js';
import { memprofError } from '../base/errors.js';
import { commandLine, programName } from '../base/program.js';
import { warn } from '../base/say.js';
import { ownWorker } from '../sampler/workers.js';
import { socketOf } from './family.js';
import { checkExposure } from './guard.js';
import { type CheckedHandlerOptions, type HandlerOptions, inSeconds } from './handler.js';

/**
 * Options of `serve`: those of `handler`, and where to listen. `insecure` also allows a `host` that is not a loopback
 * address, without a token.
 */
export interface ServeOptions extends HandlerOptions {
  /** The port to listen on; 0 takes a free one. Default 6060. */
  port?: number;
  /** The address to listen on; any but a loopback address needs a `token`, or `insecure`. Default 127.0.0.1. */
  host?: string;
}

/** A server in a thread of its own. `await using` closes it at the end of the block. */
export interface Server extends AsyncDisposable {
  /** The URL of its index page: `http://127.0.0.1:6060/debug/pprof/`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Stops the server and cuts off requests that are being served. Resolves when the port is free again. */
  close(): Promise<void>;
}

/** What the server's thread gets as `workerData`. */
export interface ThreadSettings {
  port: number;
  host: string;
  commandLine: string[];
  program: string;
  handler: CheckedHandlerOptions;
  /** Whether processes that are given the same port share it: see family.ts. */
  shared: boolean;
}

/** The first message from the server's thread: where it listens, or why it cannot. */
export type ThreadReport =
  | { port: number; host: string; holder?: number }
  | { code: string | undefined; message: string };

/**
 * Serves the pages of `handler()` from a thread of its own, which answers even while all other threads are busy. The server
 * does not keep the process alive.
 *
 * @param options See `ServeOptions` for the defaults.
 * @returns A promise of the server. It rejects with what is listed below.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_UNKNOWN_OPTION` for options.
 * @throws `ERR_MEMPROF_INSECURE` for a host that others reach, without `token` or `insecure`.
 * @throws `ERR_MEMPROF_SERVER` if it cannot listen there; its `cause` has the system's `code` (`EADDRINUSE`).
 * @throws `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 * @example
 * const { url } = await serve({ port: 6060 });
 */
export async function serve(options?: ServeOptions): Promise<Server> {
  return (await startServer(options, false)).server;
}

/** `serve`, for processes that may be given the same port: then `holder` is the one at whose address this one is listed. */
export async function serveShared(
  options: ServeOptions,
): Promise<{ server: Server; holder: number | undefined }> {
  const started = await startServer(options, true);
  const socket = socketOf(started.server.port, process.pid);
  process.once('exit', () => rmSync(socket, { force: true }));
  return started;
}

async function startServer(
  options: ServeOptions | undefined,
  shared: boolean,
): Promise<{ server: Server; holder: number | undefined }> {
  const { port, host, ...rest } = completeOptions('serve', options);
  const handler = inSeconds(rest);
  checkExposure(host, handler.token, handler.insecure);
  native();

  const settings: ThreadSettings = {
    port,
    host,
    commandLine: commandLine(),
    program: programName(),
    handler,
    shared,
  };
  const worker = ownWorker(path.join(__dirname, 'serve-thread.js'), {
    name: 'memprof http',
    workerData: settings,
  });
  // The thread keeps the process alive until it listens; otherwise the promise would not settle in a program that ends at
  // once.
  const report = await firstReport(worker);
  if (!('port' in report)) {
    await worker.terminate();
    throw memprofError('ERR_MEMPROF_SERVER', `cannot listen on ${host}:${port}: ${report.message}`, report);
  }
  worker.unref();
  // A later error of the thread must not end the program.
  worker.on('error', (error) => {
    warn(`memprof's HTTP server ended: ${error.message}`);
  });
  const shownHost = report.host.includes(':') ? `[${report.host}]` : report.host;
  const close = async () => {
    await worker.terminate();
  };
  const url = `http://${shownHost}:${report.port}/debug/pprof/`;
  const server = asyncDisposable({ port: report.port, host: report.host, url, close }, close);
  return { server, holder: report.holder };
}

async function firstReport(worker: Worker): Promise<ThreadReport> {
  try {
    const [report] = (await once(worker, 'message')) as [ThreadReport];
    return report;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code, message };
  }
}

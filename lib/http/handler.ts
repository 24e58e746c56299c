import type { IncomingMessage, ServerResponse } from 'node:http';
import { completeOptions } from '../base/check-options.js';
import { commandLine, programName } from '../base/program.js';
import { lookup, type ProfileName } from '../capture/lookup.js';
import { refreshFigures } from '../sampler/fresh-figures.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { EXPECTED_INTERVAL, parseSampleInterval, setSampleInterval } from '../sampler/set-interval.js';
import { status } from '../sampler/status.js';
import type { Family, Member } from './family.js';
import { serveSum, without } from './family-route.js';
import {
  formValue,
  parseInteger,
  readBody,
  sendChunked,
  sendError,
  sendText,
  setCommonHeaders,
  splitUrl,
} from './go-forms.js';
import { isAuthorized, refusal } from './guard.js';
import { serveHistory } from './history-route.js';
import { changeSince, megabytes, type Reading, statusLines } from './index-figures.js';
import { indexPage } from './index-page.js';
import { serveMemory } from './memory-page.js';
import { ABSENT, descriptions, findPage, type Page, pageNames, SUMMED } from './page-list.js';
import {
  buffersAreOff,
  type ProfileRouteOptions,
  serveFlame,
  servePerlText,
  serveProfile,
} from './profile-route.js';
import { symbolLines } from './symbols.js';
import { serveWhy } from './why-route.js';

const MAX_INTERVAL_BYTES = 100;
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  symbol: ['GET', 'HEAD', 'POST'],
  // It changes the program, and a link must not.
  interval: ['POST'],
};
const MAX_SYMBOL_BYTES = 16 * 1024 * 1024;
// A client that does not read its response keeps the profile in memory, so it is cut off after this time.
const SEND_TIMEOUT_MS = 60_000;

/** Options of `handler`. */
export interface HandlerOptions {
  /**
   * The token that requests must carry, as `Authorization: Bearer TOKEN` or as password in the URL. Default none: then
   * only requests from this machine are served, and others get status 403. A request that a proxy forwards (with
   * `X-Forwarded-…`, `Forwarded`, `Via` or `X-Real-IP`, or with another machine's name as `Host`) does not count as one
   * from this machine.
   */
  token?: string;
  /** Serve requests from anywhere without a token. Default false. */
  insecure?: boolean;
  /** The most profiles made at the same time; further requests get status 429. Default 4. */
  maxConcurrent?: number;
  /** The longest time that a request may ask for with `?seconds=`, in milliseconds, 1000 … 86400000. Default 300000. */
  maxDuration?: number;
  /** Whether frames of built code with a source map are shown as they are in the sources. Default true. */
  sourceMaps?: boolean;
}

/** What `handler` returns: a request listener of node:http, and a middleware of Express and Connect. */
export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * Serves the pages of Go's `net/http/pprof` at every path that ends in `/debug/pprof/…`, and `/pprof/…` for gperftools'
 * reader. Other requests go to `next`, or get status 404 if there is no `next`. Works with node:http, Express and Connect.
 *
 * The pages are made on the calling thread's event loop; those of `serve()` are made on a thread of its own.
 *
 * @param options See `HandlerOptions` for the defaults.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_UNKNOWN_OPTION` for options.
 * @example
 * app.use(handler({ token: process.env.PPROF_TOKEN }));
 */
export function handler(options?: HandlerOptions): Handler {
  const pages = new Pages(checkHandlerOptions(options), commandLine(), programName());
  return (request, response, next) => pages.handle(request, response, next);
}

export interface CheckedHandlerOptions {
  token?: string;
  insecure: boolean;
  maxConcurrent: number;
  /** Highest `seconds` of a request. */
  maxSeconds: number;
  sourceMaps: boolean;
}

function checkHandlerOptions(options: HandlerOptions | undefined): CheckedHandlerOptions {
  return inSeconds(completeOptions('handler', options));
}

/** Converts checked options: requests give durations in seconds. */
export function inSeconds({ maxDuration, ...others }: Required<HandlerOptions>): CheckedHandlerOptions {
  return { ...others, maxSeconds: Math.floor(maxDuration / 1000) };
}

function sendMember(response: ServerResponse, program: string): void {
  const { heapAlloc, external } = readMemStats();
  const member: Member = {
    pid: process.pid,
    program,
    heap: heapAlloc,
    external,
    rss: process.memoryUsage.rss(),
  };
  sendText(response, JSON.stringify(member));
}

/** The pages of one handler. */
export class Pages {
  readonly #options: CheckedHandlerOptions;
  readonly #commandLine: readonly string[];
  readonly #profile: ProfileRouteOptions;
  readonly #family: Family | undefined;
  readonly #isPrivate: boolean;
  readonly #first: Reading;
  #last: Reading | undefined;
  #open = 0;

  /** `isPrivate`: only the holder of the family's address can send requests. */
  constructor(
    options: CheckedHandlerOptions,
    commandLine: readonly string[],
    program: string,
    { family, isPrivate = false }: { family?: Family | undefined; isPrivate?: boolean } = {},
  ) {
    this.#family = family;
    this.#isPrivate = isPrivate;
    this.#first = { at: Date.now(), heap: readMemStats().heapAlloc };
    this.#options = options;
    this.#commandLine = commandLine;
    this.#profile = { ...options, program };
  }

  handle(request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void {
    // Express removes the mount path from `url`.
    const url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/';
    const { path, query } = splitUrl(url);
    const page = findPage(path);
    if (page === undefined) {
      if (next !== undefined) next();
      else sendError(response, 404, '404 page not found');
      return;
    }
    this.#serve(request, response, page, query).catch(() => {
      sendError(response, 500, 'failed to collect profile');
    });
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    { base, name, slashless }: Page,
    query: string,
  ): Promise<void> {
    setCommonHeaders(response);
    response.statusCode = 200; // Koa starts with 404.
    const { token, insecure } = this.#options;
    const refused = token === undefined && !insecure ? refusal(request) : undefined;
    if (refused !== undefined) return sendError(response, 403, refused);
    if (token !== undefined && !isAuthorized(request, token)) {
      response.setHeader('WWW-Authenticate', 'Basic realm="memprof"');
      const problem =
        request.headers.authorization === undefined ? 'a token is required' : 'the token is wrong';
      return sendError(
        response,
        401,
        `${problem}: send Authorization: Bearer TOKEN, or use http://any:TOKEN@host/`,
      );
    }
    const method = request.method ?? 'GET';
    const allowed = ALLOWED[name] ?? ['GET', 'HEAD'];
    if (!allowed.includes(method)) {
      response.setHeader('Allow', allowed.join(', '));
      return sendError(response, 405, 'Method Not Allowed');
    }
    const asked = this.#family === undefined ? '' : formValue(query, 'pid');
    if (asked !== '' && asked !== String(process.pid) && this.#family !== undefined) {
      return this.#ofOthers(response, name, query, asked, this.#family);
    }
    switch (name) {
      case '':
        return slashless ? redirect(response) : this.#index(request, response, query);
      case 'profile':
      case 'trace':
        return sendError(response, 404, `Unknown profile: ${ABSENT[name]}. There are ${pageNames()}`);
      case 'member':
        if (this.#isPrivate) return sendMember(response, this.#profile.program);
        break;
      case 'cmdline':
        return sendText(response, this.#commandLine.join('\0'));
      case 'symbol': {
        const symbols = method === 'POST' ? await readBody(request, MAX_SYMBOL_BYTES) : query;
        if (symbols === undefined) return sendError(response, 413, 'too many addresses');
        return sendText(response, symbolLines(symbols));
      }
      case 'interval':
        return this.#setInterval(request, response, query);
      case 'heap':
        if (base === 'perl') return this.#limited(response, () => servePerlText(response, this.#profile));
        return this.#profileOf(response, 'heap', query);
      case 'allocs':
      case 'buffers':
      case 'peak':
      case 'lifetimes':
        return this.#profileOf(response, name, query);
      case 'memory':
        return this.#limited(response, () => serveMemory(request, response, query));
      case 'flame':
        return this.#limited(response, () => serveFlame(response, query, this.#profile));
      case 'history':
        return this.#limited(response, () => serveHistory(response, query, this.#profile));
      case 'why':
        return this.#limited(response, () => serveWhy(response, query));
    }
    sendError(response, 404, 'Unknown profile');
  }

  /** A page of another process at this address, or of all. */
  #ofOthers(
    response: ServerResponse,
    name: string,
    query: string,
    asked: string,
    family: Family,
  ): Promise<void> {
    if (asked === 'all') {
      if (name === '') return this.#indexOfAll(response);
      if (!SUMMED.has(name)) {
        sendError(response, 400, `pid=all is for ${[...SUMMED].join(', ')}`);
        return Promise.resolve();
      }
      return this.#limited(response, () => serveSum(response, name, query, family, this.#profile.program));
    }
    const pid = parseInteger(asked);
    if (pid === undefined || pid < 1) {
      sendError(response, 400, 'invalid value for "pid" - must be the id of a process, or all');
      return Promise.resolve();
    }
    // These make links, which are to stay with that process.
    const kept = ['', 'flame', 'history', 'why'].includes(name) ? query : without(query, 'pid');
    return this.#limited(response, () => family.forward(pid, `${name}?${kept}`, response));
  }

  async #indexOfAll(response: ServerResponse): Promise<void> {
    response.statusCode = 302;
    response.setHeader('Location', './');
    response.setHeader('Content-Length', 0);
    response.end();
  }

  /** `POST interval?bytes=64k`, or the value as the body. */
  async #setInterval(request: IncomingMessage, response: ServerResponse, query: string): Promise<void> {
    // Without a token, any web page that is open on this machine could send it.
    const site = request.headers['sec-fetch-site'];
    const crossSite = request.headers.origin !== undefined || (site !== undefined && site !== 'none');
    if (this.#options.token === undefined && crossSite) {
      return sendError(response, 403, 'a web page may not change the interval without a token');
    }
    const inQuery = new URLSearchParams(query).get('bytes');
    const given = inQuery ?? (await readBody(request, MAX_INTERVAL_BYTES)) ?? '';
    const interval = parseSampleInterval(given);
    if (interval === undefined) return sendError(response, 400, `the interval must be ${EXPECTED_INTERVAL}`);
    try {
      setSampleInterval(interval);
    } catch (error) {
      return sendError(response, 409, (error as Error).message);
    }
    sendText(response, `sampling every ${given.trim()} from now on\n`);
  }

  #profileOf(response: ServerResponse, name: ProfileName, query: string): Promise<void> {
    return this.#limited(response, () => serveProfile(response, { name, query }, this.#profile));
  }

  /** Limits the profiles made at a time. A profile counts until the client has received it or is cut off. */
  async #limited(response: ServerResponse, serve: () => Promise<void>): Promise<void> {
    if (this.#open >= this.#options.maxConcurrent) {
      response.setHeader('Retry-After', '1');
      return sendError(
        response,
        429,
        `this server is already making ${this.#options.maxConcurrent} profiles (maxConcurrent): try again later`,
      );
    }
    this.#open++;
    const closed = new Promise<void>((resolve) => {
      if (response.closed) resolve();
      else response.once('close', resolve);
    });
    try {
      await serve();
    } catch (error) {
      this.#open--;
      throw error;
    }
    const timer = setTimeout(() => response.destroy(), SEND_TIMEOUT_MS);
    timer.unref();
    void closed.then(() => {
      clearTimeout(timer);
      this.#open--;
    });
  }

  async #index(request: IncomingMessage, response: ServerResponse, query: string): Promise<void> {
    await refreshFigures(false, 50);
    const now = status();
    const buffersAreSampled = now.buffers.sampleInterval !== 0;
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    const shown = descriptions.filter(({ name }) => name !== 'buffers' || buffersAreSampled);
    const entries = shown.map(({ counts, ...entry }) => ({
      ...entry,
      count: counts === undefined ? 0 : lookup(counts).count(),
    }));
    const { path } = splitUrl((request as { originalUrl?: string }).originalUrl ?? request.url ?? '/');
    const pid = parseInteger(formValue(query, 'pid'));
    const page = indexPage({
      program: this.#profile.program,
      pid: process.pid,
      address: `http://${request.headers.host ?? 'localhost'}${path}`,
      entries,
      memory: this.#memory(buffersAreSampled),
      status: statusLines(now),
      members: this.#family === undefined ? [] : await this.#family.members(),
      suffix: pid === undefined ? '' : `pid=${pid}`,
    });
    sendChunked(response, page);
  }

  /** Sentences about memory now, and what it was at the server's start and at the last look. */
  #memory(buffersAreSampled: boolean): string[] {
    const { heapAlloc, heapSys, external, maxRSS, numGC, pauseTotalNs } = readMemStats();
    const now: Reading = { at: Date.now(), heap: heapAlloc };
    const lines = [
      `Heap: ${megabytes(heapAlloc)} in use, of ${megabytes(heapSys)}.`,
      `External memory (Buffers and others): ${megabytes(external)}${buffersAreSampled ? '' : `; ${buffersAreOff()}`}.`,
      `At most ${megabytes(maxRSS)} of RSS so far; ${numGC} ${numGC === 1 ? 'collection' : 'collections'} took ${(pauseTotalNs / 1e6).toFixed(0)} ms.`,
    ];
    const changes = [changeSince(this.#first, now, 'when this server began')];
    if (this.#last !== undefined) changes.push(changeSince(this.#last, now, 'at the last look at this page'));
    const known = changes.filter((each) => each !== undefined);
    if (known.length > 0) lines.splice(1, 0, `That is ${known.join(', and ')}.`);
    this.#last = now;
    return lines;
  }
}

function redirect(response: ServerResponse): void {
  response.statusCode = 301;
  // The location is relative, so that any prefix of the path stays.
  response.setHeader('Location', 'pprof/');
  response.setHeader('Content-Length', 0);
  response.end();
}

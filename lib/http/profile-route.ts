import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../addon/native.js';
import { canExplain } from '../analysis/explain.js';
import { foldInternals } from '../analysis/internals.js';
import { formatLifetimes } from '../analysis/lifetimes-text.js';
import { whyPage } from '../analysis/why-link.js';
import { untilAborted } from '../base/abort.js';
import { changesBetween } from '../capture/changes.js';
import {
  type Capture,
  type CaptureOptions,
  captureProfile,
  encodeProto,
  type ProfileName,
  readCapture,
  toProfile,
  withSources,
} from '../capture/pipeline.js';
import { formatFlamePage } from '../flame/page.js';
import { HEAP_SAMPLE_TYPES } from '../profile/heap-values.js';
import type { ProfileData } from '../profile/model.js';
import { refreshFigures } from '../sampler/fresh-figures.js';
import { status } from '../sampler/status.js';
import { profileBetween } from './between-moments.js';
import { formValue, parseInteger, sendChunked, sendError } from './go-forms.js';

// Figures are worth a short wait; a garbage collection that was asked for takes what it takes, up to a limit.
const FIGURES_TIMEOUT_MS = 50;
const COLLECT_TIMEOUT_MS = 10_000;

export interface ProfileRouteOptions {
  /** Longest `seconds` that is accepted. */
  maxSeconds: number;
  sourceMaps: boolean;
  /** What readers call the profile. */
  program: string;
}

export interface ProfileRequest {
  name: ProfileName;
  query: string;
}

/** A profile for one client. Whatever it waits for rejects when the client is gone. */
interface Job {
  response: ServerResponse;
  signal: AbortSignal;
  sourceMaps: boolean;
  program: string;
}

function jobFor(response: ServerResponse, { sourceMaps, program }: ProfileRouteOptions): Job {
  const gone = new AbortController();
  if (response.closed || response.destroyed) gone.abort();
  else response.once('close', () => gone.abort());
  return { response, signal: gone.signal, sourceMaps, program };
}

/** `/debug/pprof/heap`, `allocs` and `buffers`, parameter by parameter as net/http/pprof serves them. */
export async function serveProfile(
  response: ServerResponse,
  { name, query }: ProfileRequest,
  options: ProfileRouteOptions,
): Promise<void> {
  if (name === 'buffers' && status().buffers.sampleInterval === 0)
    return sendError(response, 404, buffersAreOff());
  const secondsText = formValue(query, 'seconds');
  const debug = parseInteger(formValue(query, 'debug')) ?? 0;
  if (secondsText !== '') {
    const seconds = checkSeconds(response, secondsText, options.maxSeconds);
    if (seconds === undefined) return;
    if (debug !== 0) return sendError(response, 400, 'seconds and debug params are incompatible');
    if (name === 'lifetimes') return sendError(response, 400, 'there are no differences of lifetimes');
    return serveDelta(jobFor(response, options), name, seconds);
  }
  const from = formValue(query, 'from');
  if (from !== '' && name === 'heap')
    return serveBetween(jobFor(response, options), from, formValue(query, 'to'));
  const collect = name !== 'allocs' && (parseInteger(formValue(query, 'gc')) ?? 0) > 0;
  const job = jobFor(response, options);
  await refresh(job, collect);
  if (debug !== 0) return name === 'lifetimes' ? sendLifetimes(job) : sendText(job, name, 'heap');
  const body = await captureProfile(name, { ...job, format: 'pprof' });
  setAge(response);
  setAttachment(response, name);
  sendChunked(response, body);
}

/** `heap?from=-30m&to=now`: what changed between two remembered moments. */
async function serveBetween(job: Job, from: string, to: string): Promise<void> {
  const profile = await profileBetween(from, to, job);
  if (typeof profile === 'string') return sendError(job.response, 400, profile);
  return sendDelta(job, 'heap', profile);
}

/** `/debug/pprof/flame`: with `seconds`, coloured by what changed meanwhile. */
export async function serveFlame(
  response: ServerResponse,
  query: string,
  options: ProfileRouteOptions,
): Promise<void> {
  const secondsText = formValue(query, 'seconds');
  const seconds = secondsText === '' ? 0 : checkSeconds(response, secondsText, options.maxSeconds);
  if (seconds === undefined) return;
  const job = jobFor(response, options);
  await refresh(job, (parseInteger(formValue(query, 'gc')) ?? 0) > 0);
  const before = seconds > 0 ? await take(job, 'heap') : undefined;
  if (before !== undefined) await wait(job, seconds);
  const now = await take(job, 'heap');
  const type = formValue(query, 'type');
  const sampleIndex = Math.max(
    0,
    HEAP_SAMPLE_TYPES.findIndex((each) => each.type === (type || 'inuse_space')),
  );
  const pid = parseInteger(formValue(query, 'pid'));
  const internals = (parseInteger(formValue(query, 'internals')) ?? 0) > 0;
  const byLines = formValue(query, 'granularity') === 'lines';
  const show = (profile: ProfileData) => (internals ? profile : foldInternals(profile));
  const compared = seconds > 0 ? ` compared with ${seconds} s before` : '';
  const title = `${job.program}, process ${process.pid}${compared}`;
  setAge(response);
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  sendChunked(
    response,
    formatFlamePage(show(toProfile(now, job)), before && show(toProfile(before, job)), {
      title,
      sampleIndex,
      live: true,
      granularity: byLines ? 'lines' : 'places',
      // Its sites are functions.
      ...(canExplain() && !byLines ? { why: whyPage(pid) } : {}),
      download: { href: pid === undefined ? 'heap' : `heap?pid=${pid}`, name: 'heap.pb.gz' },
    }),
  );
}

/** `/pprof/heap`: what gperftools' reader fetches, text only. */
export async function servePerlText(response: ServerResponse, options: ProfileRouteOptions): Promise<void> {
  const job = jobFor(response, options);
  await refresh(job, false);
  return sendText(job, 'heap', 'heap_v2');
}

async function sendLifetimes(job: Job): Promise<void> {
  const capture = await take(job, 'lifetimes');
  const text = formatLifetimes({
    ...foldInternals(toProfile(capture, job)),
    comments: capture.comments ?? [],
  });
  setAge(job.response);
  job.response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  sendChunked(job.response, text);
}

async function sendText(
  job: Job,
  name: ProfileName,
  header: CaptureOptions['header'] & string,
): Promise<void> {
  const body = await captureProfile(name, { ...job, format: 'text', header });
  setAge(job.response);
  job.response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  sendChunked(job.response, body);
}

/** Waits, and answers with what changed meanwhile. */
async function serveDelta(job: Job, name: ProfileName, seconds: number): Promise<void> {
  await refresh(job, false);
  const before = await take(job, name);
  await wait(job, seconds);
  const after = await take(job, name);
  setAge(job.response);
  return sendDelta(job, name, changesBetween(before, after, job));
}

async function sendDelta(job: Job, name: ProfileName, profile: ProfileData): Promise<void> {
  const body = await encodeProto(profile);
  setAttachment(job.response, `${name}-delta`);
  job.response.setHeader('Content-Length', body.length);
  job.response.end(body);
}

function take(job: Job, name: ProfileName): Promise<Capture> {
  return withSources(readCapture(name), job);
}

/** Sends Go's error for what is no number of seconds. */
function checkSeconds(response: ServerResponse, text: string, maxSeconds: number): number | undefined {
  const seconds = parseInteger(text);
  if (seconds === undefined || seconds <= 0) {
    sendError(response, 400, 'invalid value for "seconds" - must be a positive integer');
    return undefined;
  }
  if (seconds > maxSeconds) {
    sendError(response, 400, `invalid value for "seconds" - this server allows ${maxSeconds} at most`);
    return undefined;
  }
  const timeout = idleTimeout(response.req);
  if (seconds * 1000 >= timeout) {
    sendError(
      response,
      400,
      `profile duration exceeds server's WriteTimeout: seconds=${seconds}, and this server closes connections after ${timeout / 1000} ` +
        's without data (server.timeout)',
    );
    return undefined;
  }
  return seconds;
}

/**
 * Milliseconds without data after which a connection is closed; infinite for never. `server.timeout`, `server.setTimeout`, and that
 * of a request or a response all end in its socket, or in the session of HTTP/2. `requestTimeout`, `headersTimeout` and
 * `keepAliveTimeout` are for other times than that between a request and its response.
 */
function idleTimeout(request: IncomingMessage): number {
  const { stream } = request as { stream?: { timeout?: number; session?: { timeout?: number } } };
  const timeouts = [request.socket?.timeout, stream?.timeout, stream?.session?.timeout];
  return Math.min(...timeouts.map((each) => each || Number.POSITIVE_INFINITY));
}

async function wait(job: Job, seconds: number): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal: job.signal });
  await refresh(job, false);
}

function refresh({ signal }: Job, collect: boolean): Promise<boolean> {
  return untilAborted(refreshFigures(collect, collect ? COLLECT_TIMEOUT_MS : FIGURES_TIMEOUT_MS), signal);
}

function setAttachment(response: ServerResponse, name: string): void {
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
}

/** Says why there is no profile of buffers, and how to get one. An empty profile would look as if there were no buffers. */
export function buffersAreOff(): string {
  const { problem } = status().buffers;
  if (problem !== null) return `buffers are not profiled: ${problem}`;
  return 'buffers are not profiled: use start({ buffers: true }), MEMPROF_BUFFERS=1 or memprof run --buffers';
}

/** How old the figures are, in seconds: as of the last garbage collection, or older when a thread did not answer. */
function setAge(response: ServerResponse): void {
  response.setHeader('X-Memprof-Figures-Age', (status().heap.figuresAgeNs / 1e9).toFixed(3));
  response.setHeader('X-Memprof-External', String(native().readMemFigures(true).external));
  if (status().buffers.sampleInterval !== 0) response.setHeader('X-Memprof-Buffers', 'buffers');
  response.setHeader('X-Memprof-RSS', String(process.memoryUsage.rss()));
}

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { native } from '../addon/native.js';
import { defaultSampleType, type ProfileName, readRecordSet } from '../capture/lookup.js';
import { snapshotProto } from '../capture/snapshot-proto.js';
import { withSources } from '../capture/source-maps.js';
import { formatFlamePage } from '../flame/page.js';
import { compress } from '../formats/compress.js';
import { formatHeapText } from '../formats/gotext/encode.js';
import { encodeProto } from '../formats/pprof/encode.js';
import { deltaProfile, type Moment } from '../profile/delta.js';
import { HEAP_SAMPLE_TYPES, profileFromRecords } from '../profile/heap-values.js';
import type { ParsedProfile } from '../profile/model.js';
import { refreshFigures } from '../sampler/fresh-figures.js';
import { readMemStats } from '../sampler/mem-stats.js';
import { status } from '../sampler/status.js';
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

/** `/debug/pprof/heap`, `allocs` and `buffers`, parameter by parameter as net/http/pprof serves them. */
export async function serveProfile(
  response: ServerResponse,
  { name, query }: ProfileRequest,
  options: ProfileRouteOptions,
): Promise<void> {
  if (name === 'buffers' && status().bufferSampleInterval === 0)
    return sendError(response, 404, buffersAreOff());
  const secondsText = formValue(query, 'seconds');
  const debug = parseInteger(formValue(query, 'debug')) ?? 0;
  if (secondsText !== '') {
    const seconds = checkSeconds(response, secondsText, options.maxSeconds);
    if (seconds === undefined) return;
    if (debug !== 0) return sendError(response, 400, 'seconds and debug params are incompatible');
    return serveDelta(response, name, seconds, options);
  }
  const collect = name !== 'allocs' && (parseInteger(formValue(query, 'gc')) ?? 0) > 0;
  await refresh(collect);
  if (debug !== 0) {
    // Go reads the stats first, so that the writer's own allocations are not in them.
    const memStats = readMemStats();
    const { shown, sampleInterval } = await readMoment(name, options);
    setAge(response);
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    return sendChunked(response, formatHeapText(shown, memStats, { sampleInterval }));
  }
  const body = await snapshotProto({
    ofBuffers: name === 'buffers',
    defaultSampleType: defaultSampleType(name),
    sourceMaps: options.sourceMaps,
    program: options.program,
  });
  setAge(response);
  setAttachment(response, name);
  sendChunked(response, body);
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
  await refresh((parseInteger(formValue(query, 'gc')) ?? 0) > 0);
  const before = seconds > 0 ? await readMoment('heap', options) : undefined;
  if (before !== undefined) {
    if (!(await wait(response, seconds))) return;
    await refresh(false);
  }
  const now = await readMoment('heap', options);
  const type = formValue(query, 'type');
  const sampleIndex = Math.max(
    0,
    HEAP_SAMPLE_TYPES.findIndex((each) => each.type === (type || 'inuse_space')),
  );
  setAge(response);
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  sendChunked(
    response,
    formatFlamePage(toProfile(now, 'heap', options), before && toProfile(before, 'heap', options), {
      title: `${options.program}, process ${process.pid}`,
      sampleIndex,
    }),
  );
}

/** `/pprof/heap`: what gperftools' reader fetches, text only. */
export async function servePerlText(response: ServerResponse, options: ProfileRouteOptions): Promise<void> {
  await refresh(false);
  const memStats = readMemStats();
  const { shown, sampleInterval } = await readMoment('heap', options);
  setAge(response);
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  sendChunked(response, formatHeapText(shown, memStats, { sampleInterval, header: 'heap_v2' }));
}

async function serveDelta(
  response: ServerResponse,
  name: ProfileRequest['name'],
  seconds: number,
  options: ProfileRouteOptions,
): Promise<void> {
  await refresh(false);
  const before = await readMoment(name, options);
  if (!(await wait(response, seconds))) return;
  await refresh(false);
  const after = await readMoment(name, options);
  setAge(response);
  const profile = deltaProfile(before, after, profileOptions(after, name, options));
  const body = await compress(encodeProto(profile));
  setAttachment(response, `${name}-delta`);
  response.setHeader('Content-Length', body.length);
  response.end(body);
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

/** False when the client is gone before. */
async function wait(response: ServerResponse, seconds: number): Promise<boolean> {
  const gone = new AbortController();
  const timer = setTimeout(() => gone.abort(), seconds * 1000);
  try {
    await once(response, 'close', { signal: gone.signal });
    return false;
  } catch {
    return !response.destroyed;
  } finally {
    clearTimeout(timer);
  }
}

function refresh(collect: boolean): Promise<boolean> {
  return refreshFigures(collect, collect ? COLLECT_TIMEOUT_MS : FIGURES_TIMEOUT_MS);
}

interface SampledMoment extends Moment {
  sampleInterval: number;
}

async function readMoment(name: ProfileName, { sourceMaps }: ProfileRouteOptions): Promise<SampledMoment> {
  const timeNanos = Date.now() * 1e6;
  const { records, sampleInterval } = readRecordSet(name);
  const shown = sourceMaps ? await withSources(records) : records;
  return { records, shown, timeNanos, sampleInterval };
}

function profileOptions(
  { sampleInterval }: SampledMoment,
  name: ProfileName,
  { program }: ProfileRouteOptions,
) {
  return { sampleInterval, defaultSampleType: defaultSampleType(name), program };
}

function toProfile(moment: SampledMoment, name: ProfileName, options: ProfileRouteOptions): ParsedProfile {
  return profileFromRecords(moment.shown, {
    ...profileOptions(moment, name, options),
    timeNanos: moment.timeNanos,
  });
}

function setAttachment(response: ServerResponse, name: string): void {
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
}

/** Why there is no profile of buffers, which is not to look like one of no buffers, and how to have one. */
export function buffersAreOff(): string {
  const { buffersProblem } = status();
  if (buffersProblem !== null) return `buffers are not profiled: ${buffersProblem}`;
  return 'buffers are not profiled: start({ buffers: true }), MEMPROF_BUFFERS=1 or memprof run --buffers does it';
}

/** How old the figures are, in seconds: as of the last garbage collection, or older when a thread did not answer. */
function setAge(response: ServerResponse): void {
  response.setHeader('X-Memprof-Figures-Age', (status().figuresAgeNs / 1e9).toFixed(3));
  response.setHeader('X-Memprof-External', String(native().readMemFigures(true).external));
}

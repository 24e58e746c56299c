import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId as ownThread } from 'node:worker_threads';
import { native } from '../addon/native.js';
import { untilAborted } from '../base/abort.js';
import { completeOptions } from '../base/check-options.js';
import { memprofError, outOfRange } from '../base/errors.js';
import { findFrames, frameInSources } from '../capture/source-maps.js';
import { startLineOf } from '../profile/locations.js';
import type { Frame } from '../profile/public-types.js';
import { scaleFactor } from '../profile/scaling.js';
import { heapStackAt, toPath } from '../sampler/frames.js';
import { refreshFigures } from '../sampler/fresh-figures.js';
import { nodeName } from './graph.js';
import { judgeGrowth, MIN_CERTAIN } from './growth.js';
import { readHistory, seriesOfHistory } from './history.js';
import { type FindPlace, groupPaths, Holders, type NativePaths, objectsOf } from './holders.js';
import { LOADER } from './internals.js';
import { sampled } from './leak-sites.js';
import { refuseIfTooCostly, type SnapshotCost, snapshotCost } from './snapshot-cost.js';

/** Options of `explain`. */
export interface ExplainOptions {
  /**
   * The functions to explain: a regular expression that they match as `NAME FILE:LINE`. What a function's callees allocated
   * counts with it, for the innermost function of a stack that matches. Default: the sites that grow by what the process
   * remembers, or else those with most bytes in use.
   */
  site?: string | RegExp;
  /** The most sites, those with most bytes in use first. Default 3. */
  limit?: number;
  /** `threadId` of the thread whose heap is looked at. Default: that of the calling thread. */
  thread?: number;
  /**
   * The largest heap, in bytes, of which a snapshot is taken: it stops the thread, some 3 µs an object, and takes up to a
   * kilobyte an object meanwhile. Default 134217728, which is 128 MiB. Never one that is fuller than 80 % of its limit.
   */
  maxHeapBytes?: number;
  /** Ends the wait, and the snapshot when V8 next looks. */
  signal?: AbortSignal;
}

/** What holds one part of a site's memory. */
export interface HoldingPath {
  /** The path in one line: `bus (module scope, server.js:9) → EventEmitter._events → .tick[] → closure server.js:36`. */
  path: string;
  /** Share of the site's samples, 0 … 1, and its standard error. */
  share: number;
  shareError: number;
  samples: number;
  /** Bytes in use that these samples stand for. */
  bytes: number;
  /** What the objects are, the most frequent kind first: `Array`, `closure`, `string`, a class … */
  kinds: { kind: string; samples: number }[];
  /** Where the innermost closure or class on the path is defined; null if V8 does not tell. A line of 0 is unknown. */
  place: { fileName: string; lineNumber: number } | null;
}

/** A site, and what holds the objects that it allocated. */
export interface SiteExplanation {
  site: string;
  /** The lines of its function that allocate what is in use, or call what does: most bytes first; empty where no lines are known (`callSites`). */
  lines: number[];
  /** Bytes in use, scaled up, and the standard error of that. */
  bytes: number;
  bytesError: number;
  /** Samples in use, and how many of them something holds. */
  samples: number;
  reached: number;
  /** The largest share first. */
  paths: HoldingPath[];
  /** What the snapshot's garbage collections freed, or what nothing holds: garbage at that moment. */
  notHeld: { share: number; samples: number; bytes: number };
}

/** What `explain` answers. */
export interface Explanation {
  thread: number;
  sites: SiteExplanation[];
  /** What it took: objects in the snapshot, and milliseconds for which the thread stood still. */
  snapshot: { nodes: number; snapshotMs: number; walkMs: number };
}

const PATHS = 10;
// A thread in a long native call does not answer. On a busy machine one that does may take long to begin.
const ANSWER_TIMEOUT_MS = 30_000;
const COLLECT_TIMEOUT_MS = 10_000;
const FIGURES_TIMEOUT_MS = 1000;

/** Whether some thread's samples lead to their objects, so that `explain` can be asked. */
export function canExplain(): boolean {
  return native().readStatus().overhead.sampling !== null;
}

type Checked = ExplainOptions & Required<Pick<ExplainOptions, 'limit' | 'maxHeapBytes'>>;

/** By this thread; the addon sees to it that there is only one in the process. */
let oneIsAsked = false;

function anotherIsAsked(): Error {
  return memprofError('ERR_MEMPROF_BUSY', 'another snapshot is being taken in this process: one at a time');
}

/** See lib/index.ts. */
export async function explain(options?: ExplainOptions): Promise<Explanation> {
  const checked = completeOptions<ExplainOptions, Checked>('explain', options);
  const { limit, maxHeapBytes, signal } = checked;
  const thread = checked.thread ?? ownThread;
  signal?.throwIfAborted();
  const pattern = toRegExp(checked.site);
  const cost = snapshotCost();
  refuseIfTooCostly(cost, maxHeapBytes);
  if (oneIsAsked) throw anotherIsAsked();
  oneIsAsked = true;
  let sites: Site[];
  let raw: NativePaths;
  try {
    sites = await findFreshSites(pattern, limit, signal);
    raw = await ask(Uint32Array.from(new Set(sites.flatMap((each) => each.stacks))), {
      thread,
      cost,
      signal,
    });
  } finally {
    oneIsAsked = false;
  }
  const { sampleInterval } = native().readStatus().heap;
  const places = await Places.of(raw);
  const objects = objectsOf(raw);
  const alive = objects.filter(({ state }) => state !== 'freed').length;
  // When there were too many, each of those that were chosen stands for several.
  const chosen = alive === 0 ? 1 : raw.alive / alive;
  const explainAll = () => {
    const holders = new Holders(raw, places.find);
    return sites.map(({ name, lines, stacks: own }) => {
      const mine = new Set(own);
      const these = objects.filter(({ stack }) => mine.has(stack));
      const byBytes = [...lines].sort(([, a], [, b]) => b - a).map(([line]) => line);
      return { ...explainSite(name, these, holders, { sampleInterval, chosen }), lines: byBytes };
    });
  };
  // The first time tells which places are on the paths.
  const explained = explainAll();
  return {
    thread,
    sites: (await untilAborted(places.lookUpInSources(), signal)) ? explainAll() : explained,
    snapshot: { nodes: raw.nodes, snapshotMs: raw.snapshotNs / 1e6, walkMs: raw.walkNs / 1e6 },
  };
}

function toRegExp(site: string | RegExp | undefined): RegExp | undefined {
  // With these flags, a search would begin where the one before it ended.
  if (site instanceof RegExp) return new RegExp(site, site.flags.replace(/[gy]/g, ''));
  if (site === undefined) return site;
  try {
    return new RegExp(site);
  } catch {
    throw outOfRange('options.site', 'a regular expression', site);
  }
}

interface Site {
  name: string;
  stacks: number[];
  bytes: number;
  /** Bytes of each line that is known. */
  lines: Map<number, number>;
}

/** Samples since a thread's last collection are in no record yet. Where no site is found, a collection is worth its time. */
async function findFreshSites(
  pattern: RegExp | undefined,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Site[]> {
  await untilAborted(refreshFigures(false, FIGURES_TIMEOUT_MS), signal);
  const sites = await untilAborted(findSites(pattern, limit), signal);
  if (sites.length > 0) return sites;
  await untilAborted(refreshFigures(true, COLLECT_TIMEOUT_MS), signal);
  return untilAborted(findSites(pattern, limit), signal);
}

async function findSites(pattern: RegExp | undefined, limit: number): Promise<Site[]> {
  const found = new Map<string, Site>();
  const { figures, stacks } = native().readRecords(false, false);
  await findFrames(framesOfStacks(stacks));
  for (const [at, stack] of stacks.entries()) {
    const raw = heapStackAt(stack);
    // What loading a module allocates is not of the function that requires it.
    const loading = raw.findIndex(({ fileName }) => LOADER.test(fileName)) + 1;
    const frames = raw.slice(0, loading === 0 ? raw.length : loading).map(frameInSources);
    const names = frames.map((frame) => nodeName(frame, 'places', undefined));
    const bytes = figures[at * 4]! - figures[at * 4 + 1]!;
    const objects = figures[at * 4 + 2]! - figures[at * 4 + 3]!;
    const scaled = bytes * scaleFactor(objects, bytes, native().readStatus().heap.sampleInterval);
    if (names.length === 0) names.push('<unknown>');
    // Many callees, such as callbacks, have no names that anybody would ask for.
    const name = names.find((each) => pattern?.test(each) ?? true);
    if (name === undefined) continue;
    const site = found.get(name) ?? { name, stacks: [], bytes: 0, lines: new Map<number, number>() };
    site.stacks.push(stack);
    site.bytes += scaled;
    const { startLine, lineNumber = 0 } = frames[names.indexOf(name)] ?? {};
    if (startLine !== undefined) site.lines.set(lineNumber, (site.lines.get(lineNumber) ?? 0) + scaled);
    found.set(name, site);
  }
  if (pattern === undefined) {
    const growing = (await growingSites()).flatMap((name) => found.get(name) ?? []);
    if (growing.length > 0) return growing.slice(0, limit);
  }
  return [...found.values()].sort((a, b) => b.bytes - a.bytes).slice(0, limit);
}

function* framesOfStacks(stacks: Iterable<number>): Iterable<Readonly<Frame>> {
  for (const stack of stacks) yield* heapStackAt(stack);
}

/** The sites that a report of leaks lists by what the process remembers, those that are surest to grow first. */
async function growingSites(): Promise<string[]> {
  const { profiles, times, series } = seriesOfHistory(await readHistory());
  if (profiles.length < MIN_CERTAIN) return [];
  const growths = judgeGrowth(times, series);
  return series
    .map(({ name }, at) => ({ name, ...growths[at]! }))
    .filter(({ verdict }) => verdict !== 'noise')
    .sort((a, b) => a.chance - b.chance || b.slope - a.slope)
    .map(({ name }) => name);
}

const PROBLEMS = {
  another: -1,
  noThread: -2,
  open: 0,
  stopped: 2,
  noObjects: 3,
  heapFull: 4,
};

interface Question {
  thread: number;
  cost: SnapshotCost;
  signal: AbortSignal | undefined;
}

async function ask(stacks: Uint32Array, { thread, cost, signal }: Question): Promise<NativePaths> {
  const answer = native().explain(stacks, thread);
  if (answer === PROBLEMS.another) throw anotherIsAsked();
  if (typeof answer === 'number') {
    throw memprofError('ERR_MEMPROF_NO_THREAD', `there is no profiled thread ${thread}`);
  }
  // Waits are counted, and not time: while this process gets no processor, the thread cannot answer either.
  let waited = 0;
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    const state = answer(signal?.aborted === true);
    if (typeof state === 'string') return JSON.parse(state) as NativePaths;
    signal?.throwIfAborted();
    if (state === PROBLEMS.noObjects) {
      throw memprofError(
        'ERR_MEMPROF_NO_OBJECTS',
        'what holds memory can only be told where memprof takes the samples itself: status().heap.sourceProblem of thread ' +
          `${thread} says why it does not, unless directSamples was switched off`,
      );
    }
    if (state === PROBLEMS.heapFull) {
      throw memprofError('ERR_MEMPROF_COSTLY', 'the heap is too close to its limit for a snapshot');
    }
    if (state === PROBLEMS.stopped) {
      throw memprofError('ERR_MEMPROF_NO_THREAD', `thread ${thread} ended before it answered`);
    }
    if (state === PROBLEMS.open && waited > ANSWER_TIMEOUT_MS + cost.milliseconds * 10) {
      answer(true);
      throw memprofError('ERR_MEMPROF_NO_THREAD', `thread ${thread} did not answer`);
    }
    await sleep(wait);
    waited += wait;
  }
}

interface Sampling {
  sampleInterval: number;
  /** How many objects each of those that are alive stands for. */
  chosen: number;
}

function explainSite(
  site: string,
  objects: ReturnType<typeof objectsOf>,
  holders: Holders,
  { sampleInterval, chosen }: Sampling,
): Omit<SiteExplanation, 'lines'> {
  const figuresOf = (some: typeof objects) => {
    let [bytes, variance, samples] = [0, 0, 0];
    for (const { size, state } of some) {
      const point = sampled(
        scaleFactor(1, size, sampleInterval),
        size * scaleFactor(1, size, sampleInterval),
        sampleInterval,
      );
      const times = state === 'freed' ? 1 : chosen;
      bytes += point.bytes * times;
      variance += point.variance * times;
      samples += times;
    }
    return { bytes, variance, samples };
  };
  const all = figuresOf(objects);
  const held = objects.filter(({ state }) => state === 'held');
  const share = (samples: number) => (all.samples === 0 ? 0 : samples / all.samples);
  const groups = groupPaths(held.map(({ step }) => holders.pathTo(step)));
  const paths = groups.slice(0, PATHS).map(({ segments, kinds, place, members }): HoldingPath => {
    const { bytes, samples } = figuresOf(members.map((each) => held[each]!));
    const part = share(samples);
    return {
      path: segments.length === 0 ? '(V8)' : segments.join(' → '),
      share: part,
      shareError: shareError(part, objects.length),
      samples: Math.round(samples),
      bytes: Math.round(bytes),
      kinds: [...kinds].map(([kind, count]) => ({ kind, samples: Math.round(count * chosen) })),
      place: place ?? null,
    };
  });
  const garbage = figuresOf(objects.filter(({ state }) => state !== 'held'));
  return {
    site,
    bytes: Math.round(all.bytes),
    bytesError: Math.round(Math.sqrt(all.variance)),
    samples: Math.round(all.samples),
    reached: Math.round(figuresOf(held).samples),
    paths,
    notHeld: {
      share: share(garbage.samples),
      samples: Math.round(garbage.samples),
      bytes: Math.round(garbage.bytes),
    },
  };
}

/** Of a share that was counted in so many samples; a share of all or of nothing may be off by one sample's. */
function shareError(share: number, samples: number): number {
  if (samples === 0) return 0;
  return Math.max(Math.sqrt((share * (1 - share)) / samples), 1 / (samples + 2));
}

const LARGEST_FILE = 2 ** 21;
const MOST_FILES = 50;

/**
 * V8 tells where a function is only of those that were sampled. Of the others memprof may know it from stacks, and else,
 * as of variables, the text of the file tells: the one line that declares the name.
 */
class Places {
  readonly #texts = new Map<string, string>();
  /** Undefined for two functions of one name: it is not known which one is meant. */
  readonly #functions = new Map<string, Readonly<Frame> | undefined>();
  readonly #asked = new Map<string, Readonly<Frame>>();

  static async of(raw: NativePaths): Promise<Places> {
    const places = new Places();
    for (const frame of framesOfStacks(new Set(native().readRecords(true, false).stacks))) {
      const key = `${frame.functionName}\n${frame.fileName}`;
      const other = places.#functions.get(key) ?? frame;
      const same = startLineOf(other) === startLineOf(frame) && places.#functions.has(key) ? other : frame;
      places.#functions.set(key, startLineOf(other) === startLineOf(frame) ? same : undefined);
    }
    const files = new Set<string>();
    for (let at = 0; at < raw.steps.length; at += 8) {
      const file = raw.texts[raw.steps[at + 5]!];
      if (file !== undefined && files.size < MOST_FILES) files.add(toPath(file));
    }
    await Promise.all([...files].map(async (file) => places.#texts.set(file, await textOf(file))));
    return places;
  }

  readonly find: FindPlace = (name, url, isVariable, known) => {
    const fileName = toPath(url);
    const key = `${name}\n${fileName}\n${isVariable}\n${known?.line}`;
    let frame = this.#asked.get(key);
    if (frame === undefined) {
      const ofFunction = isVariable ? undefined : this.#functions.get(`${name}\n${fileName}`);
      const place = known ?? declaration(this.#texts.get(fileName) ?? '', name, isVariable);
      frame =
        known === undefined && ofFunction !== undefined
          ? ofFunction
          : Object.freeze({
              functionName: name,
              fileName,
              lineNumber: place.line,
              columnNumber: place.column,
              address: 0,
            });
      this.#asked.set(key, frame);
    }
    const shown = frame.lineNumber === 0 ? frame : frameInSources(frame);
    return { fileName: shown.fileName, lineNumber: startLineOf(shown) };
  };

  /** Finds out where the places asked for are in the sources. Resolves to whether one of them is elsewhere. */
  async lookUpInSources(): Promise<boolean> {
    const frames = [...this.#asked.values()].filter(({ lineNumber }) => lineNumber > 0);
    const before = frames.map(frameInSources);
    await findFrames(frames);
    return frames.some((frame, at) => frameInSources(frame) !== before[at]);
  }
}

async function textOf(file: string): Promise<string> {
  if (file === '' || file.startsWith('node:')) return '';
  try {
    return (await stat(file)).size > LARGEST_FILE ? '' : await readFile(file, 'utf8');
  } catch {
    return '';
  }
}

/** Zeros unless exactly one line declares the name, for a variable at the beginning of a line. */
function declaration(text: string, name: string, isVariable: boolean): { line: number; column: number } {
  const nowhere = { line: 0, column: 0 };
  if (text === '' || !/^[\w$]+$/.test(name)) return nowhere;
  const what = isVariable
    ? `^(?:export\\s+)?(?:const|let|var|(?:async\\s+)?function\\s*\\*?|class)\\s[^=\\n]*?(?<![\\w$])`
    : `(?:function\\s*\\*?|class)\\s+`;
  const pattern = new RegExp(`${what}${name.replaceAll('$', '\\$')}(?![\\w$])`, 'gm');
  const found = [...text.matchAll(pattern)];
  if (found.length !== 1) return nowhere;
  const [match] = found;
  const before = text.slice(0, match!.index + match![0].length - name.length).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

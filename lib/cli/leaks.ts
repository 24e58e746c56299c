import { MIN_CERTAIN } from '../analysis/growth.js';
import { type History, seriesOfHistory } from '../analysis/history.js';
import { foldInternals } from '../analysis/internals.js';
import {
  NoHeapProfile,
  type ProfileSites,
  type SiteSeries,
  seriesOf,
  sitesOf,
} from '../analysis/leak-sites.js';
import { cutDroppedFrames } from '../analysis/prune.js';
import { styleFor } from '../analysis/style.js';
import { formatValue } from '../analysis/units.js';
import type { Granularity, ReportFormat } from '../base/choices.js';
import { printable } from '../base/text.js';
import { BUFFERS_COMMENT } from '../profile/external-memory.js';
import type { ProfileData } from '../profile/model.js';
import { isOfPages, isUrl, pageUrl } from './addresses.js';
import type { Command } from './command.js';
import { fetchPage } from './fetch-page.js';
import { fetchProfile } from './fetch-profile.js';
import { formatLeaksJson, formatLeaksMarkdown } from './leaks-formats.js';
import { formatLeaks } from './leaks-report.js';
import { type Arguments, UsageError } from './options.js';
import { Failure, loadProfile, writeOutput } from './profile-file.js';
import { endProgress, progress, waitFor } from './progress.js';

const NAME = 'leaks';

interface Taken {
  /** The name of the profile in messages. */
  name: string;
  sites: ProfileSites;
  /** Seconds since 1970. */
  time: number | undefined;
  /** Of the same moment. */
  buffers?: Taken;
}

export const leaks: Command = {
  name: NAME,
  summary: 'find sites whose memory in use grows steadily, from profiles over time',
  usage: `${NAME} [options] URL|FILE...`,
  details: `Takes two or more profiles as text or protobuf, and sorts them by time if all of them have one. Given a single
URL, such as http://HOST:6060, it asks what the program remembers of the last week, or of --since; if that is too
little, or with --count or --every, it fetches --count profiles of its heap, one every --every.
growth is the slope of a line fitted to the bytes in use of a site, and +- its standard error; the stack that grew most
is below it. chance is the probability that the report lists any site like this although it does not grow: the verdict
is certain below 0.001, likely below 0.05, and noise otherwise.`,
  operands: 'file',
  async run(args) {
    const values = args.values as unknown as Values;
    const { nodeCount, all } = values;
    const found = (await fromHistory(args, values)) ?? (await fromProfiles(args, values));
    if (values.format !== 'text') {
      const write = values.format === 'md' ? formatLeaksMarkdown : formatLeaksJson;
      await writeOutput('-', [write(found, values)]);
      return 0;
    }
    const { profiles, times, series, buffers } = found;
    const options = { nodeCount, all, style: styleFor(process.stdout) };
    const reports = [formatLeaks(profiles, times, series, options)];
    if (buffers !== undefined) {
      reports.push('\nBuffers:\n', formatLeaks(buffers.profiles, buffers.times, buffers.series, options));
    }
    const [only] = args.operands;
    if (args.operands.length === 1 && isUrl(only!) && process.stdout.isTTY) {
      reports.push("What holds a site's memory: memprof why URL --site NAME\n");
    }
    await writeOutput('-', reports);
    return 0;
  },
};

interface Values {
  /** Milliseconds. */
  since?: number;
  count: number;
  /** Milliseconds. */
  every: number;
  granularity: Granularity;
  nodeCount: number;
  all: boolean;
  format: ReportFormat;
  showInternals: boolean;
}

/** What a report is made of. Times are in seconds, from 0. */
export interface Observed {
  profiles: ProfileSites[];
  times: number[] | undefined;
  series: SiteSeries[];
  /** The same of the memory of Buffers, where the program profiles it. */
  buffers?: Observed | undefined;
}

async function fromProfiles(args: Arguments, values: Values): Promise<Observed> {
  const taken = await takeAll(args, values);
  const ofBuffers = taken.map(({ buffers }) => buffers).filter((each) => each !== undefined);
  return {
    ...observed(taken),
    ...(ofBuffers.length === taken.length ? { buffers: observed(ofBuffers) } : {}),
  };
}

function observed(taken: readonly Taken[]): Observed {
  const times = timesOf(taken);
  warnOfRestarts(taken);
  const profiles = taken.map(({ sites }) => sites);
  return { profiles, times, series: seriesOf(profiles) };
}

/**
 * What the program remembers answers at once. Undefined if profiles were asked for, or if it does not remember enough for
 * a verdict.
 */
async function fromHistory({ operands, given }: Arguments, values: Values): Promise<Observed | undefined> {
  const [only] = operands;
  const asked = given.has('since');
  if (only === undefined || operands.length > 1 || !isUrl(only)) {
    if (asked) throw new UsageError('--since needs a single URL', NAME);
    return undefined;
  }
  if (given.has('count') || given.has('every')) {
    if (asked)
      throw new UsageError('--since is for what is remembered, --count and --every fetch profiles', NAME);
    return undefined;
  }
  const { since, granularity, showInternals } = values;
  const url = pageUrl(only, 'history', {
    granularity,
    ...(since === undefined ? {} : { since: `${Math.ceil(since / 1000)}s` }),
    ...(showInternals ? { internals: '1' } : {}),
  });
  let history: History;
  try {
    history = JSON.parse(await fetchPage(url)) as History;
  } catch (error) {
    if (asked) throw error;
    return undefined; // An older memprof, or another program's profiles: fetching them tells what is wrong, if anything is.
  }
  if (!Array.isArray(history.moments)) return undefined;
  const known = history.moments.length;
  if (known >= MIN_CERTAIN || (asked && known >= 2)) return seriesOfHistory(history);
  if (asked) throw new Failure(`the program remembers ${known} moments of that time, which is too few`);
  const { count, every } = values;
  process.stderr.write(
    `memprof: the program remembers ${known} ${known === 1 ? 'moment' : 'moments'} so far: fetching ${count} profiles, ` +
      `one every ${formatValue(every * 1e6, 'nanoseconds')}\n`,
  );
  return undefined;
}

async function takeAll({ operands, given }: Arguments, values: Values): Promise<Taken[]> {
  const [only] = operands;
  if (only === undefined) throw new UsageError('URL or FILE is missing', NAME);
  const isOneUrl = operands.length === 1 && isUrl(only);
  if (!isOneUrl && (given.has('count') || given.has('every'))) {
    throw new UsageError('--count and --every need a single URL', NAME);
  }
  if (isOneUrl) return takeEvery(only, values);
  if (operands.length < 2) throw new UsageError('give two or more profiles: one alone shows no growth', NAME);
  if (operands.filter((operand) => operand === '-').length > 1) {
    throw new UsageError('only one of the profiles can be standard input', NAME);
  }
  const taken: Taken[] = [];
  for (const operand of operands) {
    const profile = await (isUrl(operand) ? fetchProfile(operand) : loadProfile(operand));
    taken.push(take(operand, profile, values));
  }
  return inOrder(taken);
}

/** A profile without a time of its own gets the time at which it was fetched. */
async function takeEvery(address: string, values: Values): Promise<Taken[]> {
  const url = isOfPages(address) ? String(pageUrl(address, 'heap', { gc: '1' })) : address;
  const { count, every } = values;
  const taken: Taken[] = [];
  const begin = Date.now();
  for (let at = 0; at < count; at++) {
    const wait = Math.max(0, begin + at * every - Date.now());
    const next = (seconds: number) =>
      `${at} of ${count} profiles, the next one in ${seconds} s; Ctrl-C ends with the report`;
    if (at > 0 && !(await waitFor(wait, next))) {
      if (at >= 2) break;
      throw new Failure('interrupted before there were two profiles');
    }
    progress(`fetching profile ${at + 1} of ${count} …`);
    const time = Date.now() / 1000;
    const profile = await fetchProfile(url);
    const each = take(`profile ${at + 1}`, profile, values);
    const buffers = profile.comments.includes(BUFFERS_COMMENT) ? await takeBuffers(url, values) : undefined;
    taken.push({
      ...each,
      time: each.time ?? time,
      ...(buffers === undefined ? {} : { buffers: { ...buffers, time: each.time ?? time } }),
    });
  }
  endProgress();
  return taken;
}

/** Of a program whose heap profile is fetched, that of Buffers. */
async function takeBuffers(url: string, values: Values): Promise<Taken | undefined> {
  if (!/\/debug\/pprof\/heap$/.test(new URL(url).pathname)) return undefined;
  const { href } = pageUrl(url, 'buffers', {});
  try {
    return take('the profile of buffers', await fetchProfile(href), values);
  } catch {
    return undefined;
  }
}

function take(
  operand: string,
  profile: ProfileData,
  { granularity, showInternals }: Pick<Values, 'granularity' | 'showInternals'>,
): Taken {
  const show = showInternals ? (each: ProfileData) => each : foldInternals;
  const name = operand === '-' ? 'standard input' : printable(operand);
  try {
    return {
      name,
      sites: sitesOf(show(cutDroppedFrames(profile)), granularity),
      time: profile.timeNanos === undefined ? undefined : profile.timeNanos / 1e9,
    };
  } catch (error) {
    throw error instanceof NoHeapProfile ? new Failure(`${name}: ${error.message}`) : error;
  }
}

function inOrder(taken: Taken[]): Taken[] {
  return timesKnown(taken) ? taken.sort((a, b) => a.time! - b.time!) : taken;
}

function timesKnown(taken: readonly Taken[]): boolean {
  return taken.every(({ time }) => time !== undefined);
}

function timesOf(taken: readonly Taken[]): number[] | undefined {
  if (!timesKnown(taken)) return undefined;
  const [first] = taken;
  return taken.map(({ time, name }, at) => {
    const before = taken[at - 1];
    if (before !== undefined && time! <= before.time!) {
      throw new Failure(`${before.name} and ${name} have the same time: give profiles of different times`);
    }
    return time! - first!.time!;
  });
}

function warnOfRestarts(taken: readonly Taken[]): void {
  for (const [at, { name, sites }] of taken.entries()) {
    const before = taken[at - 1];
    if ((sites.allocated ?? 0) < (before?.sites.allocated ?? 0)) {
      process.stderr.write(
        `memprof: ${name} has fewer allocations than ${before!.name}: it may be from another run of the program\n`,
      );
    }
  }
}

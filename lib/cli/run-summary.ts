// What `memprof run` says when all processes have ended.
import { statSync } from 'node:fs';
import path from 'node:path';
import { sitesBy } from '../analysis/graph.js';
import { foldMerged } from '../analysis/internals.js';
import { makeReport, prepare } from '../analysis/report.js';
import type { Style } from '../analysis/style.js';
import { formatCompact } from '../analysis/units.js';
import { printable } from '../base/text.js';
import type { EndFigures, ProcessStart, WrittenProfile } from '../launch/run-settings.js';
import type { FileProfile } from '../launch/write-profile.js';
import type { ProfileData } from '../profile/model.js';
import { loadProfile } from './profile-file.js';

/** How many sites the summary lists, and how many files and processes. */
const SITES = 5;
const MOST_LINES = 20;

export interface Summary {
  written: readonly WrittenProfile[];
  started: readonly ProcessStart[];
}

type Say = (text: string) => void;

export async function summarize({ written: all, started }: Summary, style: Style, say: Say): Promise<void> {
  const written = inOrder(all);
  if (written.length === 0) {
    const reason = started.length === 0 ? ': no process of Node.js was profiled' : '';
    say(`memprof: no profile was written${reason}\n`);
  }
  for (const profile of ['heap', 'buffers'] as const) {
    const last = lastOfEach(written.filter((each) => each.profile === profile));
    if (last.length > 0) await summarizeProfiles(last, profile, style, say);
    const external = last.reduce((sum, each) => sum + (each.external ?? 0), 0);
    if (profile === 'heap' && external > 0) {
      const buffers = written.some((each) => each.profile === 'buffers');
      say(
        `memprof: ${formatCompact(external, 'bytes')} outside the heap (Buffers and others) at the end` +
          `${buffers ? '' : '; --buffers profiles them'}\n`,
      );
    }
  }
  const several = new Set([...started, ...written].map(({ pid }) => pid)).size > 1;
  const names = new Map(started.map(({ pid, name }) => [pid, name]));
  for (const { file, pid, profile, end, peak } of written.slice(0, MOST_LINES)) {
    const of = several ? ` (process ${pid}${nameOf(names.get(pid))})` : '';
    const figures =
      peak !== undefined
        ? `: ${peakText(peak)}`
        : profile === 'heap' && end !== undefined
          ? `: ${endText(end)}`
          : '';
    say(`memprof: wrote ${shownPath(file)}${of}${figures}\n`);
  }
  if (written.length > MOST_LINES) say(`memprof: and ${written.length - MOST_LINES} more\n`);
  tellOfMissing(started, written, say);
}

function endText({ heap, maxRss, external, collections, pausesNs }: EndFigures): string {
  const size = (bytes: number) => formatCompact(bytes, 'bytes');
  return (
    `heap ${size(heap)}, external ${size(external)}, RSS ${size(maxRss)} at most, ` +
    `${collections} ${collections === 1 ? 'collection' : 'collections'} of ${formatCompact(pausesNs, 'nanoseconds')} in all`
  );
}

function peakText({ heap, time }: NonNullable<WrittenProfile['peak']>): string {
  const at = new Date(time);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((each) =>
    String(each).padStart(2, '0'),
  );
  return `what was in use when the heap was largest, ${formatCompact(heap, 'bytes')} after a collection at ${clock.join(':')}`;
}

function nameOf(name: string | undefined): string {
  return name === undefined || name === '' ? '' : `, ${printable(name)}`;
}

/** Names the processes that started and wrote no profile, so that nobody takes the sums for those of all processes. */
function tellOfMissing(started: readonly ProcessStart[], written: readonly WrittenProfile[], say: Say): void {
  const pids = new Set(written.map(({ pid }) => pid));
  const missing = started.filter(({ pid }) => !pids.has(pid));
  if (missing.length === 0 || written.length === 0) return;
  const shown = missing.slice(0, MOST_LINES).map(({ pid, name, problem }) => {
    return `${pid}${nameOf(name)}${problem === undefined ? '' : ` (${printable(problem)})`}`;
  });
  const more = missing.length - shown.length;
  say(
    `memprof: not in these figures, because killed before writing or not profiled: ${shown.join('; ')}` +
      `${more > 0 ? ` and ${more} more` : ''}\n`,
  );
}

/** Sorts by time of writing; files that the program has moved away come first. */
function inOrder(written: readonly WrittenProfile[]): WrittenProfile[] {
  const time = ({ file }: WrittenProfile) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return [...written].sort((a, b) => time(a) - time(b));
}

function lastOfEach(written: readonly WrittenProfile[]): WrittenProfile[] {
  return [...new Map(written.map((each) => [each.pid, each])).values()];
}

async function summarizeProfiles(
  files: readonly WrittenProfile[],
  name: FileProfile,
  style: Style,
  say: Say,
): Promise<void> {
  const of = name === 'buffers' ? ' of buffers' : '';
  const within = files.length > 1 ? ` in ${files.length} processes` : '';
  try {
    const profiles: ProfileData[] = [];
    for (const { file } of files) profiles.push(await loadProfile(file));
    const profile = foldMerged(prepare(profiles));
    for (const [type, title] of [
      ['alloc_space', 'allocated'],
      ['inuse_space', 'in use at the end'],
    ] as const) {
      const { nodes, total, percent } = makeReport(profile, {
        sampleIndex: type,
        granularity: sitesBy(profile),
        filters: {},
        sortByCum: false,
        nodeCount: SITES,
        nodeFraction: 0,
        edgeFraction: 0,
      });
      const format = (value: number) => formatCompact(value, 'bytes');
      say(
        style.bold(
          `memprof: ${format(total)}${of} ${title}${within}${nodes.length === 0 ? '' : ', most of it by'}`,
        ),
      );
      say('\n');
      for (const { flat, name } of nodes) {
        if (flat <= 0) continue;
        const share = percent(flat);
        say(`${style.weight(format(flat).padStart(10), share)} ${share}  ${printable(name)}\n`);
      }
    }
  } catch (error) {
    say(`memprof: cannot summarize the profile: ${(error as Error).message}\n`);
  }
}

function shownPath(file: string): string {
  let relative = '..';
  try {
    relative = path.relative('.', file);
  } catch {} // The working directory was removed.
  return printable(relative.startsWith('..') ? file : relative);
}

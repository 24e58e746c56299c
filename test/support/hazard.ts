import { execFileSync } from 'node:child_process';
import { threadId } from 'node:worker_threads';
import type { Test } from 'tap';
import { type Outcome as ProgramOutcome, runProgram } from './run.js';

/** MEMPROF_TEST_SOAK=1 runs every hazard at its full size; otherwise it is scaled down. */
export const soak = process.env.MEMPROF_TEST_SOAK === '1';

/** Chooses the size of a test and prints it in the test's output. */
export function scaled(t: Test, what: string, ci: number, full: number): number {
  const size = soak ? full : ci;
  t.comment(`scale: ${size} ${what}${soak || ci === full ? ' (full)' : ` (full: ${full})`}`);
  return size;
}

export interface Outcome extends ProgramOutcome {
  seconds: number;
}

export type Source = 'direct' | 'public';

/** The ways in which samples can be taken here. Hazards that depend on it are tested with each, half as often. */
export const sources: readonly Source[] =
  process.platform === 'linux' && process.arch === 'x64' ? ['direct', 'public'] : ['public'];

/** What makes a program that leaves the choice to memprof take its samples there. */
export function variablesOf(source: Source | undefined): Record<string, string> {
  return source === undefined ? {} : { MEMPROF_DIRECT_SAMPLES: source === 'direct' ? '1' : '0' };
}

interface HazardOptions {
  /** Who takes the samples: memprof itself, or V8. Default: as memprof chooses. */
  source?: Source | undefined;
  nodeArgs?: string[];
  args?: (string | number)[];
  /** Beside those of the test. */
  env?: Record<string, string>;
  timeoutSeconds?: number;
}

/** Runs test/programs/NAME with this node, but without the flags and hooks that the test runner has. */
export async function run(name: string, options: HazardOptions = {}): Promise<Outcome> {
  // Only a program that hangs meets this limit, however busy the machine is.
  const { nodeArgs = [], args = [], env = {}, timeoutSeconds = soak ? 3000 : 600, source } = options;
  const began = Date.now();
  const outcome = await runProgram(name.replace(/\.cjs$/, ''), {
    flags: nodeArgs,
    args,
    env: { ...process.env, ...variablesOf(source), ...env },
    timeoutSeconds,
  });
  return { ...outcome, seconds: (Date.now() - began) / 1000 };
}

/** What test/programs/support/report.cjs prints. */
export interface Report {
  state: string;
  source: Source;
  sourceProblem: string | null;
  directSamples: number;
  numGC: number;
  allocObjects: number;
  freeObjects: number;
  inUseObjects: number;
  negative: number;
  seen: number;
  published: number;
  lost: number;
  imputed: number;
  live: number;
  harvests: number;
  skippedGCs: number;
  isolatesRunning: number;
  isolatesEnded: number;
  /** What the program added. */
  [more: string]: unknown;
}

/** The last line of what a program printed. */
export function lastLine<T = Report>(outcome: Outcome): T {
  const line = outcome.stdout.trimEnd().split('\n').pop() ?? '';
  try {
    return JSON.parse(line) as T;
  } catch {
    throw new Error(`no report, but: ${JSON.stringify(outcome)}`);
  }
}

/** The program ended as it should: exit code, no signal, nothing on stderr. */
export function endedWell(t: Test, outcome: Outcome, code = 0): boolean {
  const { stdout: _, seconds, ...ended } = outcome;
  t.comment(`took ${seconds.toFixed(1)} s`);
  return t.strictSame(
    ended,
    { code, signal: null, stderr: '' },
    `exit code ${code}, no signal, silent`,
  ) as boolean;
}

/**
 * Relations that hold in every report, whatever happened: nothing negative, every sample accounted for. `stopped`: after
 * `stop()` of the only thread nothing waits any more.
 */
export function plausible(
  t: Test,
  report: Report,
  expect: { stopped?: boolean; leastSamples?: number } = {},
): void {
  const { stopped = false, leastSamples = 1 } = expect;
  t.ok(
    report.seen + report.lost >= leastSamples,
    `at least ${leastSamples} samples: ${report.seen + report.lost}`,
  );
  t.equal(report.negative, 0, 'no record is negative');
  t.equal(
    report.allocObjects,
    report.published + report.imputed,
    'records hold what was published and imputed',
  );
  t.ok(report.seen >= report.published, 'published samples were seen');
  t.ok(report.lost >= report.imputed, 'imputed samples were lost');
  t.ok(report.inUseObjects <= report.live, 'what is in use is alive');
  if (stopped) t.equal(report.imputed, report.lost, 'all that was lost is imputed');
}

/** The samples came from there, and nothing was amiss with memprof's own. */
export function takenBy(t: Test, report: Report, source: Source): void {
  t.equal(report.sourceProblem, null, 'no doubt about samples of our own');
  t.equal(report.directSamples > 0, source === 'direct', `${report.directSamples} samples of our own`);
}

/** Runs a program with that source of samples. It must end as it should, and its samples must have come from there. */
export async function reportWith<More>(
  t: Test,
  source: Source,
  name: string,
  args: (string | number)[],
  flags: readonly string[] = [],
): Promise<Report & More> {
  const outcome = await run(name, { nodeArgs: ['--expose-gc', ...flags], args, source });
  endedWell(t, outcome);
  const report = lastLine<Report & More>(outcome);
  takenBy(t, report, source);
  return report;
}

let options: string | undefined;

/** Whether this node has a flag of V8's. */
export function hasV8Flag(flag: string): boolean {
  options ??= execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  return options.includes(`  ${flag} (`);
}

export const isMainThread = threadId === 0;

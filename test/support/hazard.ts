import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { threadId } from 'node:worker_threads';
import type { Test } from 'tap';

const programs = path.join(__dirname, '..', 'programs');

/** MEMPROF_SOAK=1 runs every hazard at the full size; else it is scaled down. */
export const soak = process.env.MEMPROF_SOAK === '1';

/** A size of a test, and a line in its output that says at which it ran. */
export function scaled(t: Test, what: string, ci: number, full: number): number {
  const size = soak ? full : ci;
  t.comment(`scale: ${size} ${what}${soak || ci === full ? ' (full)' : ` (full: ${full})`}`);
  return size;
}

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

export interface RunOptions {
  nodeArgs?: string[];
  args?: (string | number)[];
  env?: Record<string, string>;
  timeoutSeconds?: number;
}

/** Runs test/programs/NAME with this node, but without the flags and hooks that the test runner has. */
export function run(name: string, options: RunOptions = {}): Promise<Outcome> {
  const { nodeArgs = [], args = [], env = {}, timeoutSeconds = soak ? 3000 : 150 } = options;
  const began = Date.now();
  // The test runner adds to the NODE_OPTIONS of every child: only another program can take it away again.
  const command = [
    '-u',
    'NODE_OPTIONS',
    process.execPath,
    ...nodeArgs,
    path.join(programs, name),
    ...args.map(String),
  ];
  const child = spawn('env', command, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const outcome: Outcome = { code: null, signal: null, stdout: '', stderr: '', seconds: 0 };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    outcome.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    outcome.stderr += text;
  });
  const timer = setTimeout(() => {
    outcome.stderr += `\nkilled after ${timeoutSeconds} s`;
    child.kill('SIGKILL');
  }, timeoutSeconds * 1000);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...outcome, code, signal, seconds: (Date.now() - began) / 1000 });
    });
  });
}

/** What test/programs/support/report.cjs prints. */
export interface Report {
  state: string;
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

let options: string | undefined;

/** Whether this node has a flag of V8's. */
export function hasV8Flag(flag: string): boolean {
  options ??= execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  return options.includes(`  ${flag} (`);
}

export const isMainThread = threadId === 0;

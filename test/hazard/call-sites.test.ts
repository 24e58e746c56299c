import t, { type Test } from 'tap';
import type { CallSiteStatus } from '#dist/sampler/status.js';
import { endedWell, lastLine, run } from '../support/hazard.js';

// V8's CPU profiler, which lines of calls need, beside other profilers, ending workers and full heaps.

const supported =
  process.platform === 'linux' && process.arch === 'x64' && Number(process.versions.node.split('.')[0]) >= 22;
const skip = supported ? false : 'lines of calls need Node.js 22 and Linux on x64';

interface Report {
  callSites: CallSiteStatus;
  source: string;
  negative: number;
  allocObjects: number;
  published: number;
  problems: (string | null)[];
  [more: string]: unknown;
}

async function reportOf(t: Test, mode: string, nodeArgs: string[] = []): Promise<Report> {
  const outcome = await run('hazard-call-sites.cjs', { args: [mode], nodeArgs });
  endedWell(t, outcome);
  const report = lastLine<Report>(outcome);
  t.comment(JSON.stringify(report));
  t.equal(report.negative, 0);
  t.equal(report.allocObjects, report.published, 'records have each published sample once');
  return report;
}

t.test('it does not start beside a CPU profile', { skip }, async (t) => {
  const { callSites, source, samples } = await reportOf(t, 'before');
  t.match(callSites.problem, /CPU profiler is running/);
  t.equal(callSites.samples, 0);
  t.equal(source, 'direct', 'the heap is profiled as before');
  t.ok(Number(samples) > 0);
});

t.test('it ends when a CPU profile appears, and keeps what it knows', { skip }, async (t) => {
  const report = await reportOf(t, 'later');
  t.equal(report.wasRunning, true);
  t.equal(report.callSites.running, false);
  t.match(report.callSites.problem, /CPU profiler is running/);
  t.ok(Number(report.withLines) > 0);
  t.equal(report.callSites.withLines, report.withLines, 'no more lines afterwards');
  t.equal(report.source, 'direct');
});

t.test('starts and stops', { skip }, async (t) => {
  const { callSites, problems } = await reportOf(t, 'cycles');
  t.strictSame(problems, [null]);
  t.ok(callSites.withLines > 0.5 * callSites.samples, 'lines are known');
  const { samples, withLines, skipped, unfit, unknown } = callSites;
  // At most 1,024 wait to be read.
  const told = withLines + skipped + unfit + unknown;
  t.ok(told <= samples && told >= samples - 1024, `${told} of ${samples} are told`);
});

t.test('workers that end in the middle', { skip }, async (t) => {
  const { callSites, problems } = await reportOf(t, 'workers');
  t.equal(callSites.problem, null, 'our own profiles are not taken for others');
  t.equal(problems.length, 12);
  t.strictSame(
    problems.filter((problem) => problem !== null),
    [],
  );
});

t.test('a worker that runs out of heap', { skip }, async (t) => {
  const { code, callSites } = await reportOf(t, 'full');
  t.equal(code, 'ERR_WORKER_OUT_OF_MEMORY');
  t.equal(callSites.running, true);
});

import path from 'node:path';
import t from 'tap';
import { endedWell, lastLine, plausible, type Report, run, scaled } from '../support/hazard.js';
import { root } from '../support/run.js';

interface Figures {
  alloc: number;
  inUse: number;
}

interface Message {
  state: string;
  figures: Figures;
  nestedState?: string;
  alsoSees: number;
}

const register = path.join(root, 'dist', 'register.js');
// With this interval the least that is met here are some 145 samples: 10 are 11 sigma below.
const program = (scenario: string, nodeArgs: string[] = [], ...args: number[]) =>
  run('workers-coverage.cjs', {
    nodeArgs: ['--expose-gc', ...nodeArgs],
    args: [scenario, ...args],
    env: { MEMPROF_SAMPLE_INTERVAL: '64k' },
  });

t.test('-r memprof/register covers plain, eval and nested workers', async (t) => {
  const outcome = await program('register', ['-r', register]);
  endedWell(t, outcome);
  const report = lastLine<
    Report & {
      plain: Message;
      evaluated: Message;
      nested: Message;
      bare: Message;
      figures: Record<string, Figures>;
      afterwards: Record<string, Figures>;
      running: number[];
      ids: number[];
    }
  >(outcome);
  const { plain, evaluated, nested, bare, figures, afterwards } = report;
  t.equal(plain.state, 'running', 'a plain worker');
  t.equal(evaluated.state, 'running', 'one with eval: true');
  t.equal(nested.state, 'running', 'one that has a worker');
  t.equal(nested.nestedState, 'running', 'and that one');
  t.equal(report.running.length, 5);
  t.strictSame(
    report.ids.filter((id) => !report.running.includes(id)),
    [],
  );

  t.equal(bare.state, 'stopped', 'a worker with execArgv: [] is not covered');
  t.strictSame(report.uncovered, [report.bareId], 'and status() says so');
  t.strictSame(report.uncoveredAfterwards, [], 'until it ends');

  for (const name of ['inPlain', 'inEval', 'inOuter', 'inNested']) {
    const { alloc, inUse } = figures[name]!;
    const after = afterwards[name]!;
    t.ok(inUse > 10, `the main thread sees what happens ${name}: ${inUse} samples in use`);
    t.ok(after.alloc >= alloc, `${name}: totals stay when it ended: ${after.alloc} samples`);
    t.equal(after.inUse, 0, `${name}: and nothing is in use`);
  }
  t.strictSame(figures.inBare, { alloc: 0, inUse: 0 });
  t.ok(plain.figures.inUse > 10, 'a worker sees its own records');
  t.ok(plain.alsoSees > 10, `and the main thread's: ${plain.alsoSees} samples`);
  plausible(t, report, { leastSamples: 50 });
});

t.test('start({ workers: true }) covers every worker made from then on', async (t) => {
  const outcome = await program('wrapped');
  endedWell(t, outcome);
  const report = lastLine<
    Report &
      Record<'plain' | 'bare' | 'flagged' | 'evaluated' | 'sub' | 'late', Message> & {
        figures: Record<string, Figures>;
      }
  >(outcome);
  t.strictSame(
    report.untouched,
    { worker: true, env: true, execArgv: true },
    'start() alone touches nothing',
  );
  t.equal(report.wrapped, true);
  t.equal(report.esmWrapped, true, 'an import sees the wrapper, too');
  t.equal(report.envAndArgv, true, 'process.env and process.execArgv are left alone');
  t.equal(report.plain.state, 'running', 'a plain worker');
  t.equal(report.bare.state, 'running', 'one with execArgv: []');
  t.equal(
    report.flagged.state,
    'running',
    "one with the process's execArgv, which Node.js refuses in a worker",
  );
  t.equal(report.evaluated.state, 'running', 'one with eval: true');
  t.equal(report.sub.state, 'running', 'one of a class derived from Worker');
  t.equal(report.subIsSub, true);
  t.strictSame(report.instance, [true, true, true], 'workers are what they were');
  t.strictSame(report.uncovered, []);
  for (const [name, { inUse }] of Object.entries(report.figures)) {
    // The program's own interval, 4 KiB: with that of the variable there would be less than 400.
    t.ok(inUse > 1000, `the main thread sees what happens ${name}: ${inUse} samples in use`);
  }
  t.equal(report.restored, true, 'stop() takes the wrapper away');
  t.equal(report.esmRestored, true, 'for imports, too');
  t.equal(report.late.state, 'stopped', 'and later workers are not covered');
  plausible(t, report, { leastSamples: 1000 });
});

t.test('without either, a worker starts for itself or is listed', async (t) => {
  const outcome = await program('alone');
  endedWell(t, outcome);
  const report = lastLine<Report & { not: Message; own: Message; figures: Record<string, Figures> }>(outcome);
  t.equal(report.not.state, 'stopped');
  t.equal(report.own.state, 'running');
  t.equal(report.uncoveredIsNot, true, 'the worker that did not start is listed');
  t.equal(report.figures.inNot!.alloc, 0);
  t.ok(report.figures.inOwn!.inUse > 100);
  plausible(t, report, { leastSamples: 100 });
});

type Labels = Report & { labels: number[]; others: number; main: number };

t.test('labelThreads tells threads apart, however many have ended', async (t) => {
  const workers = scaled(t, 'workers', 70, 300);
  const outcome = await program('labels', [], workers, 32 * 1024 * 1024);
  endedWell(t, outcome);
  const report = lastLine<Labels>(outcome);
  t.equal(report.mixed, 0, "the main thread's records are told from the workers'");
  t.strictSame(
    report.labels,
    Array.from({ length: workers + 1 }, (_, id) => id),
    'the main thread and each worker',
  );
  t.equal(report.others, 0);
  t.ok(report.main > 100, `${report.main} samples of the main thread`);
  plausible(t, report, { leastSamples: 10000 });
});

t.test('threads share a label when half of the tables is used', async (t) => {
  const workers = 50;
  const outcome = await program('labels', [], workers, 1024 * 1024);
  endedWell(t, outcome);
  const report = lastLine<Labels>(outcome);
  t.equal(report.mixed, 0, "the main thread's records are told from the workers'");
  t.equal(report.labels[0], -1);
  t.equal(report.labels[1], 0);
  const apart = report.labels.length - 2;
  t.ok(apart > 2 && apart < workers - 5, `${apart} workers are told apart`);
  t.ok(report.others > 100 * (workers - apart), `the rest share one: ${report.others} samples`);
  plausible(t, report, { leastSamples: 10000 });
});

import { readdirSync } from 'node:fs';
import v8 from 'node:v8';
import t from 'tap';
import { endedWell, lastLine, plausible, type Report, run, scaled, sources } from '../support/hazard.js';

interface Figures {
  alloc: number;
  inUse: number;
}

t.test('somebody else samples first: start() says so and leaves them alone', async (t) => {
  const outcome = await run('foreign-first.cjs', { nodeArgs: ['--expose-gc'] });
  endedWell(t, outcome);
  const report = lastLine(outcome);
  t.strictSame(report.codes, Array(3).fill('ERR_MEMPROF_SAMPLER_BUSY'));
  t.equal(report.stateWhenBusy, 'stopped');
  t.ok((report.theirs as number) > 500, `their profile is alive, with ${report.theirs} samples`);
  plausible(t, report, { stopped: true, leastSamples: 100 });
});

t.test('--heap-prof samples first, and writes its profile at the end', async (t) => {
  for (const source of sources) {
    for (const how of ['alone', 'stopped']) {
      const folder = t.testdir({});
      const nodeArgs = ['--expose-gc', '--no-warnings', '--heap-prof', `--heap-prof-dir=${folder}`];
      const outcome = await run('foreign-heap-prof.cjs', { nodeArgs, args: [folder, how], source });
      const stopped = how === 'stopped';
      if (!stopped) endedWell(t, outcome);
      // Node.js says that it misses its sampler, in words of its version.
      else t.match(outcome, { code: 0, signal: null });
      const report = lastLine<{ codes: string[]; state: string; samples: number; files: number }>(outcome);
      t.strictSame(report.codes, ['ERR_MEMPROF_SAMPLER_BUSY', ...(stopped ? ['started'] : [])], how);
      t.equal(report.state, stopped ? 'running' : 'stopped');
      t.equal(report.samples > 0, stopped);
      t.equal(report.files, 0);
      t.equal(readdirSync(folder).length, stopped ? 0 : 1, 'their profile');
    }
  }
});

// V8 writes the answer by a writer that fails beyond some 150 frames; Node.js 26 then ends.
for (const source of sources) {
  t.test(`an inspector asks for samples with deep stacks: ${source} samples`, async (t) => {
    const outcome = await run('foreign-deep.cjs', { source });
    endedWell(t, outcome);
    const report = lastLine<{ error: unknown; deepest: number; frames: number; stackDepth: number }>(outcome);
    t.equal(report.error, null);
    const direct = source === 'direct';
    t.equal(report.stackDepth, direct ? 512 : 128);
    if (direct) {
      // V8 has the first samples only.
      t.ok(report.deepest > 0 && report.deepest <= 129, `V8's deepest stack has ${report.deepest} frames`);
      t.ok(report.frames > 300);
    } else {
      t.equal(report.deepest, 129, 'V8 has one frame more than memprof keeps');
      t.equal(report.frames, 129, 'one of them is the root of what was cut');
    }
  });
}

const others = [
  { who: "inspector's HeapProfiler", arg: 'inspector', missing: '' },
  {
    who: 'v8.startHeapProfile()',
    arg: 'v8',
    missing: 'startHeapProfile' in v8 ? '' : `Node.js ${process.version} has no v8.startHeapProfile`,
  },
];

for (const { who, arg, missing } of others) {
  t.test(`stopped behind our back by ${who}`, { skip: missing !== '' && missing }, async (t) => {
    const outcome = await run('foreign-displaces.cjs', { nodeArgs: ['--expose-gc'], args: [arg] });
    t.equal(outcome.code, 0);
    t.equal(outcome.signal, null);
    t.equal(outcome.stderr.match(/MEMPROF_DISPLACED/g)?.length, 1, 'one warning');
    const report = lastLine<
      Report & {
        before: Figures;
        noticed: Report;
        displaced: Figures;
        after: { keepOld: Figures; keepNew: Figures };
        afterSecond: { state: string; keepNew: Figures };
        theirSamples: number;
        resumedAfter: number;
      }
    >(outcome);
    const { before, noticed, displaced, after, afterSecond } = report;

    t.equal(report.unnoticed, 'running', 'nothing is known before the next collection');
    t.equal(noticed.state, 'displaced', 'known at the next collection');
    t.ok(before.inUse > 500, `${before.inUse} samples were in use`);
    t.strictSame(
      displaced,
      { alloc: before.alloc, inUse: 0 },
      'they count as freed, and theirs do not count',
    );
    t.equal(noticed.inUseObjects, 0);
    plausible(t, noticed);

    t.equal(report.meanwhile, 'displaced', 'nothing changes while they sample');
    t.ok(report.theirSamples > 0, `their sampler is alive, with ${report.theirSamples} samples`);

    t.ok(report.resumedAfter <= 6, `runs again ${report.resumedAfter.toFixed(1)} s after they stopped`);
    t.equal(report.stateAfter, 'running');
    t.equal(report.times, 1, 'displaced once');
    t.strictSame(after.keepOld, { alloc: before.alloc, inUse: 0 }, 'what was lost stays as it was');
    t.ok(after.keepNew.inUse > 500, `new allocations count: ${after.keepNew.inUse}`);
    t.ok(after.keepNew.alloc >= after.keepNew.inUse);

    t.equal(report.second, 'displaced', 'noticed a second time');
    t.strictSame(
      afterSecond,
      { state: 'running', keepNew: { alloc: after.keepNew.alloc, inUse: 0 } },
      'with nobody else there we are back at once',
    );
    t.strictSame(report.warnings, ['MEMPROF_DISPLACED'], 'no second warning');
    plausible(t, report, { stopped: true });
  });
}

for (const { who, arg, missing } of others) {
  t.test(
    `displaced by ${who}, which still runs at the end`,
    { skip: missing !== '' && missing },
    async (t) => {
      const rounds = scaled(t, 'processes', 5, 100);
      for (let round = 0; round < rounds; round++) {
        const outcome = await run('foreign-runs-on.cjs', {
          nodeArgs: ['--expose-gc', '--no-warnings'],
          args: [arg],
        });
        endedWell(t, outcome);
        t.equal(lastLine<{ noticed: string }>(outcome).noticed, 'displaced');
      }
    },
  );
}

t.test('stopped and restarted between two harvests', async (t) => {
  const rounds = scaled(t, 'rounds', 20, 200);
  const outcome = await run('foreign-restarts.cjs', {
    nodeArgs: ['--expose-gc', '--no-warnings'],
    args: [rounds],
  });
  endedWell(t, outcome);
  const report = lastLine<
    Report & {
      results: {
        round: number;
        samplingInterval: number;
        noticed: boolean;
        collections: number;
        before: number;
        inUseAfter: number;
        foreignAlloc: number;
        theirsFails: boolean;
      }[];
      inUse: number;
    }
  >(outcome);
  t.equal(report.results.length, rounds);
  for (const each of report.results) {
    const { round, samplingInterval, noticed, collections, before, inUseAfter, theirsFails } = each;
    const name = `round ${round}, every ${samplingInterval} B`;
    t.ok(before > 20 && noticed, `${name}: noticed after ${collections} collections`, { each });
    t.equal(inUseAfter, 0, `${name}: ours (${before} samples) count as freed`);
    t.notOk(theirsFails, `${name}: their sampler runs on`);
  }
  const atOnce = report.results.filter((each) => each.collections === 1).length;
  t.ok(atOnce >= rounds * 0.7, `${atOnce} of ${rounds} noticed at the next collection`);
  t.ok(report.inUse > 20, 'afterwards all is as before');
  plausible(t, report, { stopped: true });
});

t.test(
  'hazard: a sampler of ours that was taken for another is known again, and is not left running',
  async (t) => {
    const outcome = await run('mistaken-sampler.cjs', { nodeArgs: ['--no-warnings'] });
    endedWell(t, outcome);
    const report = lastLine<
      Report & { states: string[]; seenBefore: number; displaced: number; kept: number; afterwards: Figures }
    >(outcome);
    t.strictSame(report.states, ['displaced', 'running']);
    t.equal(report.displaced, 1);
    t.ok(report.seen > report.seenBefore, 'samples are counted again');
    t.ok(
      report.afterwards.alloc > 100,
      `${report.afterwards.alloc} samples of what was allocated afterwards`,
    );
  },
);

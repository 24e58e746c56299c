import t, { type Test } from 'tap';
import { endedWell, lastLine, type Report, run, scaled, soak } from '../support/hazard.js';

// Samples that memprof takes itself are V8's, in every frame, size and life: what is compared here is all of them.
interface DirectReport extends Report {
  problem: string | null;
  stacksCompared: number;
  stacksAskedOfV8: number;
  directSamples: number;
  v8Samples: number;
  keptThen: { alloc: number; inUse: number };
  keptAfterwards: { alloc: number; inUse: number };
  length: number;
}

const supported = process.platform === 'linux' && process.arch === 'x64';
const skip = supported ? false : 'samples are taken directly on Linux x64 only';

const flags = [
  [],
  ['--no-opt'],
  ['--always-sparkplug'],
  ['--maglev'],
  ['--stress-compaction'],
  ['--single-threaded'],
  ['--interpreted-frames-native-stack'],
  ['--max-semi-space-size=1'],
];

function balanced(t: Test, report: DirectReport): void {
  t.equal(report.negative, 0, 'no record is negative');
  t.equal(report.lost + report.imputed, 0, 'no sample is lost');
  t.equal(report.allocObjects, report.published, 'records have each published sample once');
}

for (const some of flags) {
  t.test(`direct samples equal V8's: ${some.join(' ') || 'no flags'}`, { skip }, async (t) => {
    const rounds = scaled(t, 'rounds', some.length === 0 ? 60 : 12, 600);
    const outcome = await run('direct-samples.cjs', {
      nodeArgs: ['--expose-gc', ...some],
      args: [rounds, 'compare'],
    });
    endedWell(t, outcome);
    const report = lastLine<DirectReport>(outcome);
    t.comment(
      `${report.directSamples} samples, ${report.stacksCompared} stacks equal, ${report.stacksAskedOfV8} asked of V8`,
    );
    t.equal(report.problem, null, 'no difference');
    t.equal(report.source, 'direct');
    t.ok(report.stacksCompared > 20 * rounds, `${report.stacksCompared} stacks compared`);
    t.equal(report.v8Samples, report.directSamples, 'V8 took each of them as well');
    balanced(t, report);
  });
}

for (const { name, args } of [
  { name: 'at the greatest depth', args: [12, 'compare', 2048, 512] },
  { name: 'in a worker', args: [12, 'worker'] },
]) {
  t.test(`direct samples equal V8's ${name}`, { skip }, async (t) => {
    const outcome = await run('direct-samples.cjs', { args, nodeArgs: ['--expose-gc'] });
    endedWell(t, outcome);
    const report = lastLine<DirectReport>(outcome);
    t.equal(report.problem, null, 'no difference');
    t.equal(report.source, 'direct');
    t.ok(report.stacksCompared > 240, `${report.stacksCompared} stacks compared`);
    balanced(t, report);
  });
}

t.test('after a doubt V8’s samples go on, and none counts twice', { skip }, async (t) => {
  const outcome = await run('direct-samples.cjs', {
    nodeArgs: ['--expose-gc'],
    args: [soak ? 200 : 20, 'doubt'],
  });
  endedWell(t, outcome);
  const report = lastLine<DirectReport>(outcome);
  t.equal(report.source, 'public');
  t.equal(report.problem, 'a test doubts them');
  t.equal(report.negative, 0);
  t.equal(report.allocObjects, report.published + report.imputed, 'records have each published sample once');
  t.ok(
    report.directSamples > 100 && report.seen > report.directSamples + 100,
    'samples were taken both ways',
  );
  // Twice 2,000 arrays with room for 10 each (96 + 16 bytes and more), one before the doubt, one after it, at one sample
  // in 2,048 bytes: 4000 * 112 / 2048 = 218 expected at least; 5 sigma below that.
  t.equal(report.length, 4000);
  t.ok(report.keptThen.inUse > 218 - 5 * Math.sqrt(218), `${report.keptThen.inUse} samples of what is kept`);
  // Not all that is allocated there is kept there: V8 keeps what it knows of the function, and its code.
  t.ok(report.keptAfterwards.inUse < 20, `${report.keptAfterwards.inUse} of these are not seen to be freed`);
});

for (const off of [{ MEMPROF_DIRECT_SAMPLES: '0' }]) {
  t.test('MEMPROF_DIRECT_SAMPLES=0 switches them off, whatever the program wants', async (t) => {
    const outcome = await run('direct-samples.cjs', {
      nodeArgs: ['--expose-gc'],
      args: [5, 'compare'],
      env: off,
    });
    endedWell(t, outcome);
    const report = lastLine<DirectReport>(outcome);
    t.equal(report.source, 'public');
    t.equal(report.problem, null);
    t.equal(report.directSamples, 0);
    t.ok(report.seen > 100);
  });
}

import path from 'node:path';
import t, { type Test } from 'tap';
import { endedWell, lastLine, type Report, run, scaled, soak } from '../support/hazard.js';
import { root, runNode } from '../support/run.js';
import { testAddon } from '../support/test-addon.js';

// Samples that memprof takes itself equal V8's in every frame, in size, and in whether the object is alive. All samples
// are compared here.
interface DirectReport extends Report {
  problem: string | null;
  stacksCompared: number;
  stacksAskedOfV8: number;
  directSamples: number;
  v8Samples: number;
  alone: number;
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
    t.equal(report.v8Samples, report.directSamples - report.alone, 'V8 took each of them as well');
    balanced(t, report);
  });
}

for (const { name, args } of [
  { name: 'at the greatest depth', args: [12, 'compare', 2048, 512] },
  { name: 'as far as V8 goes, at the default depth', args: [12, 'compare', 2048, 0] },
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
  // 2,000 arrays are kept before the doubt and 2,000 after it. Each has room for 10 elements and takes at least 96 + 16
  // bytes. At one sample per 2,048 bytes, at least 4000 * 112 / 2048 = 218 samples are expected. The limit is 5 sigma
  // below that.
  t.equal(report.length, 4000);
  t.ok(report.keptThen.inUse > 218 - 5 * Math.sqrt(218), `${report.keptThen.inUse} samples of what is kept`);
  // A few samples of `keep` stay in use, because V8 also allocates the function's code and feedback there and keeps them.
  t.ok(report.keptAfterwards.inUse < 20, `${report.keptAfterwards.inUse} of these are not seen to be freed`);
});

for (const workload of soak ? ['server', 'compiler'] : ['server']) {
  t.test(`direct samples equal V8's in every frame: the ${workload} of bench/`, { skip }, async (t) => {
    const stacks = scaled(t, 'stacks', 2000, 100_000);
    const { code, stdout, stderr } = await runNode(path.join(root, 'bench', 'stacks.cjs'), {
      args: [`--stacks=${stacks}`, `--workloads=${workload}`],
    });
    t.comment(stdout);
    t.strictSame({ code, stderr }, { code: 0, stderr: '' }, 'none is different');
    const [, equal] = new RegExp(`${workload} +│ +(\\d+) `).exec(stdout) ?? [];
    t.ok(Number(equal) >= stacks, `${equal} stacks are equal`);
  });
}

t.test('where process_vm_readv is forbidden', { skip }, async (t) => {
  const outcome = await run('direct-samples.cjs', {
    nodeArgs: ['--expose-gc'],
    args: [6, 'compare'],
    env: { LD_PRELOAD: testAddon(t, 'no-vm-readv') },
  });
  endedWell(t, outcome);
  const report = lastLine<DirectReport>(outcome);
  t.equal(report.problem, null, 'memory is read by a pipe');
  t.equal(report.source, 'direct');
  t.ok(report.stacksCompared > 120, `${report.stacksCompared} stacks compared`);
  balanced(t, report);
});

if (!supported) {
  t.test('where they are not possible V8 takes the samples, and status() says why', async (t) => {
    const outcome = await run('direct-samples.cjs', { nodeArgs: ['--expose-gc'], args: [5, 'compare'] });
    endedWell(t, outcome);
    const report = lastLine<DirectReport>(outcome);
    t.equal(report.source, 'public');
    t.equal(report.problem, 'not known how this build of Node.js keeps its samples');
    t.equal(report.directSamples, 0);
    t.ok(report.seen > 100);
    t.equal(report.negative, 0);
  });
}

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

t.test('the objects behind the samples of a site are those that it allocated', { skip }, async (t) => {
  const interval = 512;
  const outcome = await run('sampled-objects.cjs', { nodeArgs: ['--expose-gc'], args: [interval] });
  endedWell(t, outcome);
  const report =
    lastLine<Record<'kept' | 'ofKept' | 'dropped' | 'afterStop' | 'ofKeepInAll' | 'inUse', number>>(outcome);
  // A session takes at least 3 + 4 words, so 20,000 * 56 / 512 = 2187 samples are expected; the limit is 5 sigma below.
  t.ok(report.kept > 2187 - 5 * Math.sqrt(2187), `${report.kept} sampled sessions`);
  t.equal(report.ofKept, report.kept, 'each of them is one of those that are kept');
  t.equal(report.ofKeepInAll, report.inUse, 'there are as many as the records say');
  // The last one is still on the stack, perhaps.
  t.ok(report.dropped <= 1, `${report.dropped} of those that were dropped`);
  t.equal(report.afterStop, 0);
});

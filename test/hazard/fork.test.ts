import t from 'tap';
import { endedWell, lastLine, plausible, type Report, run, scaled } from '../support/hazard.js';
import { runCommand } from '../support/run.js';
import { testAddon } from '../support/test-addon.js';

const notLinux = process.platform !== 'linux' && 'V8 keeps its heap out of forked children on Linux only';

t.test('a native fork while memprof holds its locks: the child ends', async (t) => {
  const forks = scaled(t, 'forks', 30, 1000);
  const outcome = await run('hazard-fork.cjs', {
    nodeArgs: ['--expose-gc'],
    args: [testAddon(t, 'forking'), forks],
  });
  endedWell(t, outcome);
  const report = lastLine<Report & { ends: (number | null)[] }>(outcome);
  t.strictSame(report.ends, new Array(forks).fill(0), 'every child ended by itself, with exit code 0');
  plausible(t, report, { stopped: true, leastSamples: 10 });
});

// Why memprof has no handlers of pthread_atfork. They are needed where this fails.
t.test('no JavaScript runs in a forked child, with or without memprof', { skip: notLinux }, async (t) => {
  const script = `console.log(require(${JSON.stringify(testAddon(t, 'forking'))}).fork(() => {}, 60))`;
  const outcome = await runCommand('env', ['-u', 'NODE_OPTIONS', process.execPath, '-e', script]);
  t.match(outcome, { code: 0, stderr: '' });
  t.equal(outcome.stdout, '-11\n', 'SIGSEGV: the child has no heap of V8');
});

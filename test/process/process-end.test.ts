import t, { type Test } from 'tap';
import type { Status } from '#dist/index.js';
import type { PlainRecord } from '../support/figures.js';
import { scaled } from '../support/hazard.js';
import { type Outcome, report, runProgram } from '../support/run.js';

// V8 13 and later abort when a sampler still runs while its isolate is disposed.
const ROUNDS = scaled(t, 'rounds of each', 30, 200);
// Each takes as long as twenty of the others.
const OUT_OF_HEAP = scaled(t, 'workers that run out of heap', 5, 20);

async function endProcesses(how: string): Promise<Outcome[]> {
  const bad: Outcome[] = [];
  let left = ROUNDS;
  const lane = async () => {
    while (left-- > 0) {
      const outcome = await runProgram('left-running', { args: [how] });
      const { code, signal, stdout, stderr } = outcome;
      if (code !== 0 || signal !== null || stdout !== '' || stderr !== '') bad.push(outcome);
    }
  };
  await Promise.all([lane(), lane()]);
  return bad;
}

t.test(`${ROUNDS} processes end with the sampler running`, async (t) => {
  t.strictSame(await endProcesses('end'), []);
});

t.test(`${ROUNDS} processes call process.exit() with the sampler running`, async (t) => {
  t.strictSame(await endProcesses('exit'), []);
});

interface WorkersReport {
  outcomes: Record<string, number>;
  records: PlainRecord[];
  status: Status;
}

const endings = [
  { how: 'end', rounds: ROUNDS, outcomes: { '0': ROUNDS } },
  { how: 'exit', rounds: ROUNDS, outcomes: { '3': ROUNDS } },
  { how: 'out', rounds: OUT_OF_HEAP, outcomes: { '1 ERR_WORKER_OUT_OF_MEMORY': OUT_OF_HEAP } },
];

function checkRemains(t: Test, { records, status }: WorkersReport): void {
  t.equal(status.internal.isolates, 1, 'only the main thread is left');
  t.equal(status.internal.isolatesRunning, 0);
  t.ok(records.length > 0, 'what the workers allocated is in the profile');
  t.strictSame(
    records.filter((each) => each.allocObjects !== each.freeObjects),
    [],
    'and none of it in use',
  );
}

for (const { how, rounds, outcomes } of endings) {
  t.test(`${rounds} workers with the sampler running: ${how}`, async (t) => {
    const found = await report<WorkersReport>('workers-left-running', { args: [how, String(rounds)] });
    t.strictSame(found.outcomes, outcomes);
    t.equal(found.status.internal.isolatesEnded, rounds);
    checkRemains(t, found);
  });
}

t.test(`${ROUNDS} workers are terminated with the sampler running`, async (t) => {
  const found = await report<WorkersReport>('workers-left-running', { args: ['terminate', String(ROUNDS)] });
  // 0 where the worker had not begun to run.
  const { '0': before = 0, '1': after = 0, ...others } = found.outcomes;
  t.equal(before + after, ROUNDS);
  t.strictSame(others, {});
  // Two thirds were terminated after they had said that the sampler runs.
  t.ok(
    found.status.internal.isolatesEnded >= Math.floor((ROUNDS * 2) / 3),
    'most had started the sampler',
    found.status,
  );
  checkRemains(t, found);
});

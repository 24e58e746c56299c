import t from 'tap';
import { endedWell, lastLine, run, scaled } from '../support/hazard.js';

t.test('started and stopped again and again', async (t) => {
  const times = scaled(t, 'times', 500, 10000);
  const outcome = await run('hazard-start-stop.cjs', { nodeArgs: ['--expose-gc'], args: [times] });
  endedWell(t, outcome);
  const { wrong, inUseObjects, grown } = lastLine<{ wrong: number; inUseObjects: number; grown: number }>(
    outcome,
  );
  t.equal(wrong, 0, 'status() and records were right each time');
  t.ok(inUseObjects > 200 && inUseObjects < 5000, `${inUseObjects} samples in use of the last time only`);
  t.ok(grown < 1024 * 1024, `memprof's own memory grew by ${grown} bytes in the second half`);
});

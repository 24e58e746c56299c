import t from 'tap';
import { reportWith, scaled, sources } from '../support/hazard.js';

for (const source of sources) {
  t.test(`started and stopped again and again: ${source} samples`, async (t) => {
    const times = scaled(t, 'times', 250, 5000);
    const report = await reportWith<{ wrong: number; grown: number }>(t, source, 'hazard-start-stop.cjs', [
      times,
    ]);
    const { wrong, inUseObjects, grown } = report;
    t.equal(wrong, 0, 'status() and records were right each time');
    t.ok(inUseObjects > 200 && inUseObjects < 5000, `${inUseObjects} samples in use of the last time only`);
    t.ok(grown < 1024 * 1024, `memprof's own memory grew by ${grown} bytes in the second half`);
  });
}

import t from 'tap';
import { endedWell, run, scaled } from '../support/hazard.js';

for (const where of ['finalization', 'timer', 'gcObserver', 'exitHandler', 'uncaught', 'worker']) {
  t.test(`process.exit(): ${where}`, async (t) => {
    const rounds = scaled(t, 'rounds', 3, 200);
    for (let i = 0; i < rounds; i++) {
      const nodeArgs = i % 2 === 0 ? ['--expose-gc'] : ['--expose-gc', '--max-semi-space-size=1'];
      if (!endedWell(t, await run('hazard-exit.cjs', { nodeArgs, args: [where] }), 7)) break;
    }
  });
}

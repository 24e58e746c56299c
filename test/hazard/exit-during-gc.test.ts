import t from 'tap';
import { endedWell, run, scaled, sources } from '../support/hazard.js';

for (const where of ['finalization', 'timer', 'gcObserver', 'exitHandler', 'uncaught', 'worker']) {
  t.test(`process.exit(): ${where}`, async (t) => {
    const rounds = scaled(t, 'rounds', 4, 200);
    for (let i = 0; i < rounds; i++) {
      const nodeArgs = i % 2 === 0 ? ['--expose-gc'] : ['--expose-gc', '--max-semi-space-size=1'];
      const source = sources[(i >> 1) % sources.length];
      if (!endedWell(t, await run('hazard-exit.cjs', { nodeArgs, args: [where], source }), 7)) break;
    }
  });
}

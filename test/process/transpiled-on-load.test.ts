import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { endedWell, lastLine, run } from '../support/hazard.js';
import { root } from '../support/run.js';

// `makeItems` is at line 8; in what the hook makes of it at line 7.
const SOURCE = `// Comments are taken away,
// line by line,
// and others
// come before
// the code.
const some = 30_000;

function makeItems(count) {
  const items = [];
  for (let i = 0; i < count; i++) items.push({ i });
  return items;
}

module.exports = () => makeItems(some);
`;

const register = ['--require', path.join(root, 'dist', 'register.js')];
const env = { MEMPROF_SAMPLE_INTERVAL: '512', MEMPROF_AT_EXIT: '0' };

for (const [how, flags, place, why] of [
  ['extension', register, 'items.js:8', 'the map of what was compiled is used'],
  ['compile', register, 'items.js:8', 'the map of what was compiled is used'],
  ['bare', register, 'items.js (compiled):7', 'there is no map'],
  ['script', register, 'items.js (compiled):7', 'nobody saw what was compiled'],
  ['extension', [], 'items.js (compiled):7', 'nobody saw what was compiled'],
  ['extension', ['--enable-source-maps'], 'items.js:8', 'Node.js knows the map'],
] as const) {
  t.test(`hazard: a line of transpiled code under its source's name: ${how} ${flags[0] ?? ''}`, async (t) => {
    const file = path.join(t.testdir(), 'items.js');
    writeFileSync(file, SOURCE);
    const outcome = await run('transpiled-on-load.cjs', {
      nodeArgs: ['--expose-gc', ...flags],
      args: [file, how],
      env,
    });
    endedWell(t, outcome);
    t.strictSame(lastLine<string[]>(outcome), [place], why);
  });
}

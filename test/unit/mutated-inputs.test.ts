import { spawnSync } from 'node:child_process';
import t from 'tap';
import type { Report } from '../support/parse-mutated.js';

/** Runs the child with a heap of at most that many MiB; dying of want of memory is a failure. */
function run(heapMiB: number, ...args: string[]): Report {
  // Times are the processor's, bounds for a slow one; on this one a big input takes a few seconds.
  const script = require.resolve('../support/parse-mutated');
  const child = spawnSync(
    process.execPath,
    [...process.execArgv, `--max-old-space-size=${heapMiB}`, script, ...args],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (child.status !== 0)
    throw new Error(`${args}: ${child.status ?? child.signal}\n${child.stderr.slice(-2000)}`);
  return JSON.parse(child.stdout);
}

/** One line, and no more of the input in it than it takes to find the place. */
const MESSAGE = /^[^\n]{10,250}$/;

t.test('1,000 mutated inputs end in a clear error or a profile', async (t) => {
  const { outcomes, maxRssMiB } = run(256, 'mutated', '1000');
  t.equal(outcomes.length, 1000);
  const errors = outcomes.filter(({ message }) => message !== undefined);
  t.comment(`${errors.length} errors, at most ${maxRssMiB} MiB`);
  t.ok(errors.length > 400 && errors.length < 900, 'some of both');
  t.strictSame(
    errors.filter(({ message }) => !MESSAGE.test(message!)),
    [],
  );
  t.strictSame(
    outcomes.filter(({ milliseconds }) => milliseconds > 10_000),
    [],
  );
  t.ok(maxRssMiB < 512);
});

// As said at LIMITS: 1 GiB of heap whatever the input is, beside its own bytes. 256 MiB are for the compiler that tap
// loads into the child, and for making the inputs.
t.test('big inputs', async (t) => {
  const { outcomes, maxRssMiB } = run(1280, 'big');
  t.comment(`at most ${maxRssMiB} MiB`);
  for (const { name, samples, message, milliseconds } of outcomes) {
    t.comment(`${name}: ${message ?? `${samples} samples`}: ${Math.round(milliseconds)} ms`);
    if (message !== undefined) t.match(message, MESSAGE, name);
    t.ok(milliseconds < 60_000, name);
  }
  t.ok(maxRssMiB < 3072);
});

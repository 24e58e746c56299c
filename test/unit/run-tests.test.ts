// What runs the tests counts right, and says what it ran twice and what it left out.
import { cpSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { root, runNode } from '../support/run.js';

const summary = (pass: number, fail = 0) =>
  `console.log('# { total: ${pass + fail}, pass: ${pass}${fail === 0 ? '' : `, fail: ${fail}`} }');`;

/** A clone with these tests. Those of `flat` lie in no folder. */
async function runTests(t: Test, tests: Record<string, string>, args: string[], flat: string[] = []) {
  const files = (extension: string, text: (code: string) => string) =>
    Object.fromEntries(
      ['unit', 'process', 'command', 'http', 'hazard', 'measured'].map((folder) => [
        folder,
        Object.fromEntries(
          Object.entries(tests)
            .filter(([name]) => name.startsWith(`${folder}/`))
            .map(([name, code]) => [`${path.basename(name)}.test.${extension}`, text(code)]),
        ),
      ]),
    );
  const folder = t.testdir({
    '.ci': {},
    build: { test: files('js', (code) => code) },
    test: { ...files('ts', () => ''), ...Object.fromEntries(flat.map((name) => [name, ''])) },
  });
  cpSync(path.join(root, '.ci/run-tests.mjs'), path.join(folder, '.ci/run-tests.mjs'));
  const env = { ...process.env, MEMPROF_TEST_SOAK: '' };
  const { code, stdout } = await runNode(path.join(folder, '.ci/run-tests.mjs'), { flags: [], args, env });
  return { code, stdout, last: stdout.trimEnd().split('\n').at(-1) };
}

const FLAKY = `const { existsSync, writeFileSync } = require('node:fs');
  const file = __filename + '.ran';
  if (existsSync(file)) { ${summary(3)} }
  else { writeFileSync(file, ''); console.log('not ok 1 - by chance'); ${summary(2, 1)} process.exitCode = 1; }`;

t.test('counts assertions; measured/ is left to --all', async (t) => {
  const tests = { 'unit/a': summary(2), 'hazard/b': summary(5), 'measured/c': summary(10) };
  t.match(await runTests(t, tests, []), { code: 0, last: '7 passed, 0 failed' });
  t.match(await runTests(t, tests, ['--all']), { code: 0, last: '17 passed, 0 failed' });
  t.match(await runTests(t, tests, ['measured', 'unit/a']), { code: 0, last: '12 passed, 0 failed' });
  const file = path.join(t.testdirName, 'test/hazard/b.test.ts');
  t.match(await runTests(t, tests, [file]), { code: 0, last: '5 passed, 0 failed' });
});

t.test('hazard: a test that dies, says nothing, or is killed is a failed one', async (t) => {
  const dying = { 'unit/a': `${summary(2)} process.exit(3);`, 'unit/b': '', 'unit/c': 'process.abort();' };
  t.match(await runTests(t, dying, []), { code: 1, last: '2 passed, 3 failed' });
});

t.test('a file that failed is run once more only with --retry, which the last lines say', async (t) => {
  t.match(await runTests(t, { 'unit/flaky': FLAKY }, []), { code: 1, last: '2 passed, 1 failed' });
  const { code, stdout, last } = await runTests(t, { 'http/flaky': FLAKY, 'unit/a': summary(1) }, [
    '--retry',
  ]);
  t.equal(code, 0);
  t.match(stdout, 'not ok 1 - by chance', 'what failed is shown');
  t.match(stdout, /^RETRIED http\/flaky: passed the second time\n1 RETRIED\n4 passed, 0 failed\n$/m);
  t.equal(last, '4 passed, 0 failed');
  const bad = await runTests(t, { 'unit/bad': 'process.exit(1)' }, ['--retry']);
  t.match(bad.stdout, 'RETRIED unit/bad: failed again');
  t.match(bad, { code: 1, last: '0 passed, 1 failed' });
});

t.test('again and again for some time, with the number of the round', async (t) => {
  const rounds = `if (process.env.MEMPROF_TEST_ROUND !== '0') process.exit(1); ${summary(2)}`;
  const { code, stdout, last } = await runTests(t, { 'unit/a': rounds }, ['--minutes', '0.000001']);
  t.match({ code, last }, { code: 0, last: '2 passed, 0 failed' });
  t.match(stdout, /^0\.0 minutes: 0 whole rounds, 1 files were run, 0 of them failed$/m);
  const tests = { 'unit/a': summary(1, 1), 'unit/b': summary(1) };
  const more = await runTests(t, tests, ['--minutes', '0.01', '--jobs', '1']);
  const [, all, failed] = /, (\d+) files were run, (\d+) of them failed$/m.exec(more.stdout) ?? [];
  t.ok(Number(failed) > 0, `${failed} of ${all} failed`);
  t.equal(more.last, `${all} passed, ${failed} failed`, 'all rounds add up');
});

t.test('skipped tests are summed up once for each reason', async (t) => {
  const skips = (name: string) =>
    `console.log('ok 1 - ${name} # SKIP not installed: go (package golang-go)');`;
  const tests = { 'unit/a': skips('x') + skips('y') + summary(1), 'unit/b': skips('z') };
  const { code, stdout, last } = await runTests(t, tests, []);
  t.equal(code, 0);
  t.match(stdout, /^left out: 3 × not installed: go \(package golang-go\)$/m);
  t.equal(last, '1 passed, 0 failed');
});

t.test('a test in no folder, or one that is not there, is refused', async (t) => {
  const tests = { 'unit/a': summary(1) };
  t.match(await runTests(t, tests, [], ['b.test.ts']), { code: 1, last: '0 passed, 1 failed' });
  t.match(await runTests(t, tests, ['unit/none']), { code: 1, last: '0 passed, 1 failed' });
});

// What a user does first: install it where there is nothing but Node.js, profile a program, look at the profile.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { goPprof } from '../support/cli.js';
import { root } from '../support/run.js';
import { bareEnv, emptyDirectory, install, must, run, write } from './support.js';

const LINES = (process.env.MEMPROF_TEST_LINES ?? '20 22 24 26').split(' ');
const INTERVAL = 65_536;
const KEPT_MB = 64;

// 8 kB each: V8 samples them as the 1-in-8 that they are of the interval.
const PROGRAM = `
  // Alive to the very end.
  const kept = (globalThis.kept = []);
  function keeper() {
    for (let i = 0; i < ${KEPT_MB} * 128; i++) kept.push(new Array(1024 - 2).fill(i));
  }
  keeper();
  console.log('kept', kept.length);
`;

async function nodeOf(line: string): Promise<string> {
  const { stdout } = await must('bash', ['.ci/fetch-node.sh', line], { cwd: root });
  return path.join(stdout.trim(), 'bin/node');
}

/** Megabytes in use by `keeper`, as Go's reader scales them. */
function keptIn(file: string): number {
  const text = goPprof(['-top', '-unit=mb', '-sample_index=inuse_space', file]);
  const line = text.split('\n').find((each) => / keeper\b/.test(each));
  return Number(/^\s*([\d.]+)MB/.exec(line ?? '')?.[1] ?? Number.NaN);
}

function onlyProfile(directory: string): string {
  const [file, ...more] = readdirSync(directory).filter((name) => /^memprof\..*\.pb\.gz$/.test(name));
  if (file === undefined || more.length > 0) throw new Error(`profiles: ${[file, ...more].join(', ')}`);
  return path.join(directory, file);
}

async function checkProfile(t: Test, directory: string, name: string): Promise<void> {
  // A count of samples with mean n varies by sqrt(n) at most; 5 sigma.
  const samples = (KEPT_MB * 2 ** 20) / INTERVAL;
  const tolerance = (5 / Math.sqrt(samples)) * KEPT_MB;
  const kept = keptIn(onlyProfile(directory));
  t.ok(
    Math.abs(kept - KEPT_MB) < tolerance,
    `${name}: ${kept} MB in use, ${KEPT_MB} ± ${tolerance.toFixed(1)}`,
  );
}

for (const line of LINES) {
  t.test(`Node.js ${line}, nothing else`, async (t) => {
    const node = await nodeOf(line);
    const directory = emptyDirectory(t);
    const env = bareEnv(directory, node);
    t.match(await install(directory, node, env), /added 1 package in/);
    t.equal(existsSync(path.join(directory, 'node_modules/memprof/build')), false, 'nothing was compiled');
    write(directory, { 'app.cjs': PROGRAM, 'run/.keep': '', 'import/.keep': '', 'require/.keep': '' });

    // By its own name and #! line.
    const memprof = path.join(directory, 'node_modules/.bin/memprof');
    const run = await must(memprof, ['run', '--sample-interval', `${INTERVAL}`, '../app.cjs'], {
      cwd: path.join(directory, 'run'),
      env,
    });
    t.equal(run.stdout, `kept ${KEPT_MB * 128}\n`);
    t.match(run.stderr, /in use at the end.*\n.*keeper/);
    await checkProfile(t, path.join(directory, 'run'), 'memprof run');

    for (const flag of ['import', 'require']) {
      const { stdout, stderr } = await must(node, [`--${flag}`, 'memprof/register', '../app.cjs'], {
        cwd: path.join(directory, flag),
        env: { ...env, MEMPROF: `at-exit=1,sample-interval=${INTERVAL}` },
      });
      t.equal(stdout, `kept ${KEPT_MB * 128}\n`);
      t.match(stderr, /^memprof: wrote .*\n$/);
      await checkProfile(t, path.join(directory, flag), `--${flag} memprof/register`);
    }
  });
}

t.test('each binary loads under its own Node.js and refuses under every other', async (t) => {
  const folder = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  const files = readdirSync(folder).filter((name) => name.endsWith('.glibc.node'));
  t.equal(files.length, LINES.length);
  const script = `
    try {
      require(process.argv[1]).readStatus();
      console.log('loads');
    } catch ({ code }) {
      console.log(code);
    }`;
  for (const line of LINES) {
    const node = await nodeOf(line);
    const { stdout: abi } = await must(node, ['-p', 'process.versions.modules'], { cwd: root });
    for (const name of files) {
      const own = name.startsWith(`memprof.abi${abi.trim()}.`);
      const outcome = await run(node, ['-e', script, path.join(folder, name)], { cwd: root });
      t.strictSame(
        outcome,
        { code: 0, signal: null, stdout: own ? 'loads\n' : 'ERR_MEMPROF_ABI\n', stderr: '' },
        `${name} in Node.js ${line}`,
      );
    }
  }
});

// run-tests.mjs [--retry] [--node FILE] [--minutes N] [FOLDER | TEST]…: runs compiled tests of build/test, each file in a
// process of its own. Without names it runs what `npm test` runs; with --all also the folder `measured`. A test that
// measures needs a processor to itself, so at most two files of `measured` run at a time, and none of them beside others; those
// of all other folders run side by side.
//
// --retry: runs each file that failed once more, alone, after all others; the output names these files.
// --minutes N: runs all files again and again, that long. MEMPROF_TEST_ROUND tells them which round it is, from 0.
// The last line is `N passed, N failed`, in assertions.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const compiled = path.join(root, 'build', 'test');

const SIDE_BY_SIDE = ['unit', 'process', 'command', 'http', 'hazard'];
const ALONE = ['measured'];
/**
 * Those that take longest, in seconds of a quiet machine with two processors: they begin first, so that at the end none is
 * left alone with idle processors.
 */
const LONG = {
  'command/docs-examples': 95,
  'release/frameworks': 60,
  'release/install': 50,
  'release/modules': 45,
  'unit/mutated-inputs': 50,
  'process/heap-limit-dump': 30,
  'unit/large-profiles': 25,
  'process/workers-coverage': 25,
  'unit/cli-as-go': 23,
  'process/process-end': 20,
  'unit/cli-errors': 20,
  'unit/cli-top': 20,
  'command/leaks': 18,
  'hazard/buffers-mixed': 18,
  'command/flame': 17,
  'command/program-name': 17,
  'hazard/in-use-equals-v8': 14,
  'hazard/why': 17,
  'process/foreign-sampler': 16,
  'hazard/buffers-threads': 14,
  'process/attach': 14,
  'process/register': 14,
  'command/run': 14,
  'command/examples': 13,
  'hazard/worker-blocks': 13,
  'process/heap-limit-dump-workers': 12,
  'hazard/heap-limit': 11,
  'hazard/closed-stderr': 11,
  'hazard/child-processes': 10,
  'hazard/full-disk': 10,
  'measured/buffers-burst': 18,
  'measured/bench-harness': 13,
  'measured/bench-measure': 10,
  'measured/cost-budget': 9,
  'measured/http-load': 8,
};
const SOAK = process.env.MEMPROF_TEST_SOAK === '1';
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    retry: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '0' },
    node: { type: 'string', default: process.execPath },
    // A test waits for its programs about a third of the time.
    jobs: { type: 'string', default: String(os.availableParallelism() + 2) },
  },
});

function fail(message) {
  console.error(`run-tests.mjs: ${message}`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

/** Lists the tests in a folder of build/test, except leftovers without a source. */
function testsIn(folder) {
  const directory = path.join(compiled, folder);
  if (!existsSync(directory)) fail(`there is no ${directory}: run npm run build:test`);
  return readdirSync(directory)
    .filter((name) => name.endsWith('.test.js') && existsSync(sourceOf(`${folder}/${name.slice(0, -8)}`)))
    .map((name) => `${folder}/${name.slice(0, -'.test.js'.length)}`);
}

function sourceOf(test) {
  return path.join(root, 'test', `${test}.test.ts`);
}

/** The tests that an argument names: a folder, or a test by its source, its compiled file, or its short name. */
function testsNamed(name) {
  const short = (existsSync(name) ? path.relative(root, path.resolve(name)) : name)
    .replace(/^(build\/)?test\//, '')
    .replace(/\/$/, '');
  if ([...SIDE_BY_SIDE, ...ALONE, 'release'].includes(short)) return testsIn(short);
  const test = short.replace(/\.test\.[jt]s$/, '');
  if (!existsSync(path.join(compiled, `${test}.test.js`)))
    fail(`no compiled test ${test}: run npm run build:test`);
  return [test];
}

const startedAt = performance.now();
const minutes = Number(options.minutes);
if (!(minutes >= 0)) fail(`--minutes takes a number, not ${options.minutes}`);
/** Tests wait for events, so only a test that hangs reaches this limit, however busy the machine is. */
const LIMIT_SECONDS = SOAK || minutes > 0 ? 3600 : 900;
/** At least one file is run. */
const isOver = () => minutes > 0 && runs.all > 0 && performance.now() - startedAt > minutes * 60_000;

const running = new Set();
let round = 0;
function killAll() {
  for (const child of running) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {}
  }
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    killAll();
    console.log(`run-tests.mjs: ended by ${signal}\n0 passed, 1 failed`);
    process.exit(1);
  });
}

/** Runs a file and resolves to its counts and output. */
function run(test) {
  return new Promise((resolve) => {
    const began = performance.now();
    // The test gets its own process group, so that whatever a failed test leaves running can be killed.
    const child = spawn(options.node, ['--expose-gc', path.join(compiled, `${test}.test.js`)], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TAP_TIMEOUT: String(LIMIT_SECONDS), MEMPROF_TEST_ROUND: String(round) },
    });
    running.add(child);
    let output = '';
    const collect = (text) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const limit = setTimeout(
      () => {
        output += `\nkilled after ${LIMIT_SECONDS + 60} s\n`;
        process.kill(-child.pid, 'SIGKILL');
      },
      (LIMIT_SECONDS + 60) * 1000,
    );
    child.on('error', (error) => {
      output += `${error}\n`;
    });
    child.on('exit', () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {}
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      running.delete(child);
      resolve({
        test,
        ...judge(output, code ?? signal),
        output,
        seconds: (performance.now() - began) / 1000,
      });
    });
  });
}

function judge(output, code) {
  const summary = /^# \{ (total: .*) \}$/m.exec(output)?.[1] ?? '';
  const field = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0);
  const passed = field('pass');
  const skipped = [...output.matchAll(/^ *ok .*# SKIP (.+)$/gm)].map(([, reason]) =>
    reason.replace(/\{$/, '').trim(),
  );
  let failed = field('fail');
  // A file that dies after its last assertion passed has failed too, and so has one that asserts nothing.
  if (failed === 0 && (code !== 0 || (passed === 0 && skipped.length === 0))) failed = 1;
  return { passed, failed, skipped, code };
}

/** Prints the output of a failed test without the assertions that passed. */
function report({ test, output, code }) {
  const lines = output.split('\n').filter((line) => !/^ *ok |^ *$|^ *# Subtest|^ *# time=/.test(line));
  const shown = lines.length > 400 ? [...lines.slice(0, 300), '…', ...lines.slice(-100)] : lines;
  console.log(`\n--- ${test} (ended with ${code})\n${shown.join('\n')}\n---\n`);
}

const results = new Map();
/** Files run so far, and those of them that failed. */
const runs = { all: 0, failed: 0 };
async function runAll(tests, jobs) {
  const waiting = [...tests];
  const next = async () => {
    for (let test = waiting.shift(); test !== undefined && !isOver(); test = waiting.shift()) {
      const result = await run(test);
      runs.all++;
      if (result.failed !== 0) runs.failed++;
      // A file that is run once more is judged anew. Those of another round add up.
      const before = minutes > 0 ? results.get(test) : undefined;
      results.set(test, {
        ...result,
        passed: result.passed + (before?.passed ?? 0),
        failed: result.failed + (before?.failed ?? 0),
      });
      const { passed, failed, seconds } = result;
      const word = failed === 0 ? 'ok    ' : 'not ok';
      console.log(
        `${word} ${test}: ${passed} passed${failed ? `, ${failed} failed` : ''} (${seconds.toFixed(1)} s)`,
      );
      if (failed !== 0) report(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, next));
}

const flat = readdirSync(path.join(root, 'test')).filter((name) => /\.test\.[cm]?[jt]s$/.test(name));
if (flat.length > 0)
  fail(`a test belongs in a folder of test/, which says what may run beside it: ${flat.join(', ')}`);

const folders = options.all || SOAK ? [...SIDE_BY_SIDE, ...ALONE] : SIDE_BY_SIDE;
// Run each test only once: two runs at a time would share a directory.
const tests = [
  ...new Set(positionals.length > 0 ? positionals.flatMap(testsNamed) : folders.flatMap(testsIn)),
].sort((a, b) => (LONG[b] ?? 0) - (LONG[a] ?? 0));
const isAlone = (test) => ALONE.includes(test.split('/')[0]) || SOAK;
do {
  await runAll(
    tests.filter((test) => !isAlone(test)),
    Number(options.jobs),
  );
  await runAll(tests.filter(isAlone), SOAK ? 1 : Math.min(2, os.availableParallelism()));
  if (!isOver()) round++;
} while (minutes > 0 && !isOver());

const retried = [];
if (options.retry) {
  for (const { test } of [...results.values()].filter(({ failed }) => failed > 0)) {
    console.log(`once more, alone: ${test}`);
    await runAll([test], 1);
    retried.push(
      `RETRIED ${test}: ${results.get(test).failed === 0 ? 'passed the second time' : 'failed again'}`,
    );
  }
}

const all = [...results.values()];
const slowest = all.toSorted?.((a, b) => b.seconds - a.seconds).slice(0, 8) ?? [];
console.log(`\nslowest: ${slowest.map(({ test, seconds }) => `${test} ${seconds.toFixed(0)} s`).join(', ')}`);
const reasons = new Map();
for (const reason of all.flatMap(({ skipped }) => skipped))
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
for (const [reason, count] of reasons) console.log(`left out: ${count} × ${reason}`);
if (minutes > 0) {
  const took = ((performance.now() - startedAt) / 60_000).toFixed(1);
  console.log(
    `${took} minutes: ${round} whole rounds, ${runs.all} files were run, ${runs.failed} of them failed`,
  );
}
for (const line of retried) console.log(line);
const sum = (field) => all.reduce((total, each) => total + each[field], 0);
if (retried.length > 0) console.log(`${retried.length} RETRIED`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;

'use strict';
// What the commands have in common: options, children, and where results go.
const { execFile, fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { describeMachine } = require('./machine.cjs');

const bench = path.join(__dirname, '..');

/**
 * Reads `--name=value` options; those that are not given have the value of `full`, or of `quick` with --quick. `scale`
 * says how what was run compares with the full size.
 */
function readOptions(full, quick) {
  const given = {};
  for (const arg of process.argv.slice(2)) {
    const [, name, value = 'true'] = /^--([a-z]+)(?:=(.*))?$/.exec(arg) ?? [];
    if (name === undefined || !(name === 'quick' || name in full)) {
      const known = Object.entries(full).map(([key, each]) => `[--${key}=${each}]`);
      console.error(`usage: ${path.basename(process.argv[1])} [--quick] ${known.join(' ')}`);
      process.exit(2);
    }
    given[name] = value;
  }
  const isQuick = given.quick === 'true';
  delete given.quick;
  const options = { ...full, ...(isQuick ? quick : {}) };
  for (const [name, value] of Object.entries(given)) {
    options[name] = typeof full[name] === 'number' ? Number(value) : value;
  }
  const scale = Object.keys(full)
    .filter((name) => options[name] !== full[name])
    .map((name) => `${name} ${options[name]} instead of ${full[name]}`)
    .join(', ');
  if (scale !== '') console.log(`Scaled: ${scale}.\n`);
  return { ...options, quick: isQuick, scale: scale === '' ? 'full size' : scale };
}

let environment;

/** The environment for programs that load memprof: the prebuilt binary where ./build is another Node's. */
async function childEnvironment() {
  if (environment !== undefined) return environment;
  const load = ['-e', `require(${JSON.stringify(path.join(bench, '..'))}).status()`];
  let problem;
  for (const env of [process.env, { ...process.env, PREBUILDS_ONLY: '1' }]) {
    try {
      await promisify(execFile)(process.execPath, load, { env });
      environment = env;
      return env;
    } catch (error) {
      problem ??= error.stderr;
    }
  }
  const line = process.versions.node.split('.')[0];
  console.error(
    `memprof does not load in Node.js ${process.version}. Run "npm ci && npm run build", or "bash .ci/build-prebuild.sh ${line}".\n${problem}`,
  );
  process.exit(1);
}

/**
 * Runs a program of ./programs to its end, with the arguments as one JSON value. Resolves with what it sends: the last
 * message. `onMessage(message, child)` sees the others. `under` is a command that runs Node.js, such as `perf record`.
 */
async function runProgram(name, args, { flags = [], env, onMessage, under = [] } = {}) {
  const [execPath, ...execArgv] = [...under, process.execPath, ...flags];
  const child = fork(path.join(bench, 'programs', `${name}.cjs`), [JSON.stringify(args)], {
    execPath,
    execArgv,
    env: { ...(await childEnvironment()), ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  let last;
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.on('message', (message) => {
    last = message;
    onMessage?.(message, child);
  });
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...end) => resolve(end));
  });
  if (code !== 0 || last === undefined) {
    throw new Error(`${name} ${JSON.stringify(args)} ended with ${signal ?? code}: ${stderr}`);
  }
  return last;
}

/** Writes results/node-N/NAME.json (results/NAME.json when Node has no part in it), or results/quick/… with --quick. */
function writeResults(name, options, results, { ofNode = true } = {}) {
  const line = `node-${process.versions.node.split('.')[0]}`;
  const directory = path.join(
    bench,
    'results',
    ...(options.quick ? ['quick'] : []),
    ...(ofNode ? [line] : []),
  );
  fs.mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `${name}.json`);
  const { quick, scale, ...settings } = options;
  const whole = { benchmark: name, machine: describeMachine(), scale, settings, ...results };
  whole.machine.loadAfter = Number(os.loadavg()[0].toFixed(2));
  fs.writeFileSync(file, `${JSON.stringify(whole, null, 1)}\n`);
  console.log(`\n${path.relative(process.cwd(), file)}`);
  return file;
}

/** Prints targets with what came out; a target that is missed does not make the command fail: it is a result. */
function printTargets(targets) {
  console.log('\nTargets:');
  for (const { what, target, measured, met } of targets) {
    console.log(
      `  ${met === null ? 'not measured' : met ? 'met' : 'MISSED'}: ${what}: ${measured} (target ${target})`,
    );
  }
}

module.exports = { printTargets, readOptions, runProgram, writeResults };

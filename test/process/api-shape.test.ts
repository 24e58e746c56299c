import path from 'node:path';
import t from 'tap';
import { assertAllocs } from '#dist/bench.js';
import type { Status } from '#dist/index.js';
import {
  lookup,
  MemprofError,
  MemprofRangeError,
  MemprofTypeError,
  parseProfile,
  start,
} from '#dist/index.js';
import { plainNode, report, root, runCommand } from '../support/run.js';

function thrown(fn: () => unknown): MemprofError {
  try {
    fn();
  } catch (error) {
    return error as MemprofError;
  }
  throw new Error('nothing was thrown');
}

t.test('errors are of classes, and their stacks begin with the code', async (t) => {
  const plain = thrown(() => parseProfile(Buffer.from('nothing')));
  t.ok(plain instanceof MemprofError && plain instanceof Error);
  t.notOk(plain instanceof TypeError);
  t.equal(plain.name, 'MemprofError');
  t.match(plain.stack, /^MemprofError \[ERR_MEMPROF_PROFILE\]: /);
  t.equal(String(plain), `MemprofError: ${plain.message}`);

  const type = thrown(() => lookup(1 as never));
  t.ok(type instanceof MemprofError && type instanceof MemprofTypeError && type instanceof TypeError);
  t.equal(type.name, 'TypeError');
  t.match(type.stack, /^TypeError \[ERR_MEMPROF_INVALID_ARG_TYPE\]: /);

  const range = thrown(() => start({ sampleInterval: 0 }));
  t.ok(range instanceof MemprofError && range instanceof MemprofRangeError && range instanceof RangeError);
  t.match(range.stack, /^RangeError \[ERR_MEMPROF_OUT_OF_RANGE\]: /);

  for (const error of [plain, type, range]) {
    t.notMatch(error.stack, /base.errors\.js/, 'functions that make errors are not shown');
    t.strictSame(Object.keys(error), ['code'], 'the code is all there is besides');
  }
  const allocs = thrown(() => assertAllocs({ maxBytesPerOp: 0 }, () => new Array(1000).fill(0)));
  t.equal(allocs.code, 'ERR_MEMPROF_ALLOCS');
  t.ok(allocs instanceof MemprofError, 'assertAllocs, too');

  t.notOk(new Error('x') instanceof MemprofError);
  const foreign = Error.prepareStackTrace;
  t.teardown(() => {
    Error.prepareStackTrace = foreign;
  });
  Error.prepareStackTrace = () => {
    throw new Error("the program's own");
  };
  const code = (() => {
    try {
      lookup(1 as never);
    } catch (error) {
      return (error as MemprofError).code;
    }
    return undefined;
  })();
  Error.prepareStackTrace = foreign;
  t.equal(code, 'ERR_MEMPROF_INVALID_ARG_TYPE', 'whatever the program makes of stacks');
});

t.test('what runs is disposable, and channels tell what happens', async (t) => {
  const found = await report<{
    symbols: string[];
    state: string;
    disposed: string;
    stopped: string;
    served: number;
    closed: string;
    stopsWith: boolean;
    unheard: number;
    harvest?: Status['heap'];
    displaced?: { displaced: number };
  }>('api-shape', { flags: ['--expose-gc', '--no-warnings'] });
  t.strictSame(found.symbols, ['symbol', 'symbol']);
  t.strictSame([found.state, found.disposed, found.stopped], ['running', 'stopped', 'stopped']);
  t.strictSame([found.served, found.closed], [200, 'closed']);
  t.equal(found.stopsWith, true, 'disposing of a push stops it');
  t.equal(found.unheard, 0, 'no timer runs while nobody listens');
  t.ok(found.harvest !== undefined && found.harvest.harvests > 0, 'memprof:harvest', { found });
  t.strictSame(found.displaced, { displaced: 1 }, 'memprof:displaced');
});

t.test('what a program does not use is not loaded', async (t) => {
  const dist = path.join(root, 'dist');
  const script = `
    const { Module } = require('node:module');
    const load = Module._load;
    let requires = 0;
    Module._load = function (...args) { requires++; return load.apply(this, args); };
    const memprof = require(${JSON.stringify(dist)});
    const loaded = Object.keys(require.cache).map((file) => require('node:path').relative(${JSON.stringify(dist)}, file)).sort();
    memprof.status();
    const before = requires;
    for (let n = 0; n < 1e6; n++) memprof.status;
    memprof.status();
    console.log(JSON.stringify({ loaded, requires: requires - before, names: Object.keys(memprof) }));`;
  const [command, ...args] = plainNode;
  const { stdout, stderr } = await runCommand(command, [...args, '-e', script]);
  const found = JSON.parse(stdout || stderr) as { loaded: string[]; requires: number; names: string[] };
  t.strictSame(found.loaded, ['index.js', 'sampler/workers.js']);
  t.equal(found.requires, 0, 'status read a million times requires nothing anew');

  const asModule = await runCommand(command, [
    ...args,
    '--input-type=module',
    '-e',
    `import * as memprof from ${JSON.stringify(path.join(dist, 'index.js'))}; console.log(JSON.stringify(Object.keys(memprof)));`,
  ]);
  const byImport = JSON.parse(asModule.stdout || asModule.stderr) as string[];
  t.strictSame(
    found.names.filter((name) => !byImport.includes(name)),
    [],
    'all names can be imported by name',
  );
  t.ok(byImport.includes('MemprofError') && byImport.includes('start'));
});

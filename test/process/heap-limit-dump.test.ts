import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { parseProfile } from '#dist/formats/readers.js';
import { start, status, stop } from '#dist/index.js';
import { checkStartOptions } from '#dist/sampler/start-options.js';
import { memprof } from '../support/cli.js';
import { goTop, hasGo } from '../support/go-pprof.js';
import {
  death,
  dumpsIn,
  FILE,
  leakIsOnTop,
  recordsOf,
  runOut,
  said,
  trailerOf,
  writtenAgain,
} from '../support/heap-limit.js';
import { programPath } from '../support/run.js';

const INTERVAL = 4096;
const directUnknown =
  process.platform === 'linux' && process.arch === 'x64'
    ? false
    : 'samples are taken directly on Linux x64 only';

/** How the program ends without memprof. */
let ownDeath: Promise<ReturnType<typeof death>> | undefined;
function deathWithout() {
  ownDeath ??= runOut({}).then(death);
  return ownDeath;
}

t.test('the main thread runs out of heap: dies as without memprof, and leaves the leak on top', async (t) => {
  for (const [way, leak] of [
    ['objects', 'keepsObjects'],
    ['strings', 'keepsStrings'],
    ['one', 'keepsOne'],
  ] as const) {
    const large = ['--max-old-space-size=64'];
    const without = death(await runOut({ way }, large));
    t.equal(without.signal, 'SIGABRT');
    t.equal(without.message, 1);
    const folder = t.testdir({});
    const outcome = await runOut({ way, start: { sampleInterval: 16384, heapLimitDump: folder } }, large);
    t.strictSame(death(outcome), without, `${way}: exit and messages are the same`);
    const [file, ...more] = dumpsIn(t, folder, outcome);
    t.same(more, []);
    leakIsOnTop(t, file!, leak);
    const text = readFileSync(file!, 'utf8');
    t.equal(recordsOf(text), writtenAgain(text), 'as lib/ writes it');
    const trailer = trailerOf(text);
    t.equal(trailer.size, 27, "all of Go's fields");
    t.ok(Number(trailer.get('HeapAlloc')) > 32e6, `${trailer.get('HeapAlloc')} bytes on the heap`);
    t.ok(Number(trailer.get('NumGC')) > 5);
    t.ok(Number(trailer.get('MaxRSS')) > 64e6);
    if (!hasGo) t.comment('go is missing: its reader is not asked');
    else {
      const [, leaf = ''] = /^\d+: \d+ .* @ .*\n#\t0x(\w+)\t/m.exec(text) ?? [];
      const rows = goTop(folder, readFileSync(file!), 'inuse_space', '-addresses');
      t.ok(
        rows.some((row) => row.includes(leaf)),
        `go tool pprof: ${rows[0]}`,
      );
    }
  }
});

t.test('samples that memprof takes itself', { skip: directUnknown }, async (t) => {
  const endOf = async (sudden: true | 'inside') => {
    const folder = t.testdir({});
    const start = { sampleInterval: INTERVAL, heapLimitDump: folder, directSamples: true };
    // In a young generation of this size nothing is collected but when the program asks for it.
    const young = ['--min-semi-space-size=64', '--max-semi-space-size=64'];
    const outcome = await runOut({ sudden, start }, young);
    t.equal(outcome.signal, 'SIGABRT');
    const [, file, asOf] =
      /^memprof: out of heap, wrote (.*\.oom\.txt)(.*)$/.exec(said(outcome).join()) ?? [];
    const { samples, sampleTypes } = parseProfile(readFileSync(file!));
    const inUse = sampleTypes.findIndex(({ type }) => type === 'inuse_space');
    const bytesOf = (name: string, place: RegExp) =>
      samples
        .filter(({ stack }) => stack[0]!.functionName === name && place.test(stack[0]!.fileName ?? ''))
        .reduce((sum, { values }) => sum + values[inUse]!, 0);
    return {
      asOf,
      known: bytesOf('keepsObjects', /heap-limit-dump\.cjs$/),
      unknown: bytesOf('(unknown)', /^$/),
    };
  };
  // An object of at least 6 words, an array of 2 elements of at least 6, and a string of at least 4; three times as much
  // is more than V8 adds to them. 5 sigma beside that.
  const [least, most] = [16 * 8, 3 * 16 * 8];
  const sigmas = (bytes: number) => 5 * Math.sqrt(bytes * INTERVAL);

  const { asOf, known, unknown } = await endOf(true);
  t.equal(asOf, '');
  t.ok(known > 70_000 * least - sigmas(70_000 * least), `${known} bytes of a function that is described`);
  const bytes = 50_000 * 4 * 8;
  t.ok(unknown > bytes - sigmas(bytes), `${unknown} bytes of one that is not described yet`);

  const inside = await endOf('inside');
  t.equal(
    inside.asOf,
    ', as of the last collection',
    'in the middle of its own work memprof says what it wrote',
  );
  const [atLeast, atMost] = [20_000 * least, 20_000 * most];
  t.ok(inside.known > atLeast - sigmas(atLeast), `${inside.known} bytes of what was there then`);
  t.ok(inside.known < atMost + sigmas(atMost), 'and of no more');
  t.equal(inside.unknown, 0);
});

t.test('with the defaults, and the built-in sample interval', async (t) => {
  const folder = t.testdir({});
  const outcome = await runOut({ start: { heapLimitDump: join(folder, 'not', 'there yet') } });
  t.equal(outcome.signal, 'SIGABRT');
  const [file] = dumpsIn(t, join(folder, 'not', 'there yet'), outcome);
  leakIsOnTop(t, file!, 'keepsObjects');
});

t.test("Node's own diagnostics are written as well", async (t) => {
  for (const [flag, name, hide] of [
    ['--heapsnapshot-near-heap-limit=1', /^Heap\..*\.heapsnapshot$/, false],
    ['--heapsnapshot-near-heap-limit=1', /^Heap\..*\.heapsnapshot$/, true],
    ['--report-on-fatalerror', /^report\..*\.json$/, false],
  ] as const) {
    const folder = t.testdir({ without: {}, dumps: {}, own: {} });
    const [without, dumps, own] = ['without', 'dumps', 'own'].map((name) => join(folder, name));
    // Few and large objects: snapshots of them are quick.
    const way = 'strings';
    const control = death(await runOut({ way }, [flag], without));
    t.equal(readdirSync(without!).filter((file) => name.test(file)).length, 1);
    const outcome = await runOut(
      { way, hide, start: { sampleInterval: 16384, heapLimitDump: dumps } },
      [flag],
      own,
    );
    t.strictSame(death(outcome), control, flag);
    t.equal(readdirSync(own!).filter((file) => name.test(file)).length, 1);
    const [dump] = dumpsIn(t, dumps!, outcome);
    leakIsOnTop(t, dump!, 'keepsStrings');
  }
});

t.test('a Node.js that does not let us have its handler', async (t) => {
  const without = await deathWithout();
  const folder = t.testdir({});
  const start = { sampleInterval: 16384, heapLimitDump: folder, directSamples: true };
  const outcome = await runOut({ hide: true, start });
  t.strictSame(death(outcome), without);
  const [file, ...more] = dumpsIn(t, folder, outcome);
  t.same(more, []);
  leakIsOnTop(t, file!, 'keepsObjects');
  t.strictSame(death(await runOut({ hide: true, stop: true, start })), without, 'stopped');
  t.equal(readdirSync(folder).length, 1);

  const workers = t.testdir({});
  const inWorkers = await runOut({ hide: true, workers: 3, start: { ...start, heapLimitDump: workers } });
  t.same(JSON.parse(inWorkers.stdout), Array(3).fill('ERR_WORKER_OUT_OF_MEMORY 1'));
  t.equal(dumpsIn(t, workers, inWorkers).length, 3);
});

t.test('names of functions and files cannot break the text', async (t) => {
  const folder = t.testdir({ dumps: {} });
  const names = join(folder, 'usual.txt');
  const outcome = await runOut({
    names,
    start: { sampleInterval: 512, heapLimitDump: join(folder, 'dumps') },
  });
  t.equal(outcome.signal, 'SIGABRT');
  const [file] = dumpsIn(t, join(folder, 'dumps'), outcome);
  const framesOf = (text: string) =>
    new Map(
      text
        .split('\n')
        .map((line) => /^#\t(0x[0-9a-f]+)\t+(.*)\+0x0\t+(.*)$/.exec(line))
        .filter((match) => match !== null)
        .map(([, address, name, place]) => [address, [name, place]]),
    );
  const text = readFileSync(file!, 'utf8');
  const [dumped, usual] = [framesOf(text), framesOf(readFileSync(names, 'utf8'))];
  const hostile = [...usual].filter(([, [, place]]) => place!.startsWith('/app/'));
  t.ok(hostile.length >= 8, `${hostile.length} functions with such names`);
  const different = [...usual].filter(([address, cells]) => dumped.get(address)?.join() !== cells.join());
  t.same(different, [], `${usual.size} functions are called as in the usual text`);
  const lines = text.split('\n');
  t.same(
    lines.filter((line) => !/^$|^heap profile: |^\d+: \d+ \[\d+: \d+\] @|^#\t0x|^# /.test(line)),
    [],
  );
  t.ok(Math.max(...lines.map((line) => line.length)) < 65536, 'no line is too long for readers');
  const { samples } = parseProfile(readFileSync(file!));
  t.ok(samples.length > 50);
  if (!hasGo) t.comment('go is missing: its reader is not asked');
  else t.ok(goTop(folder, readFileSync(file!), 'inuse_space').length > 0);
});

t.test('the dump after many reads', async (t) => {
  const folder = t.testdir({});
  const outcome = await runOut({ reads: 1000, start: { sampleInterval: 16384, heapLimitDump: folder } });
  t.strictSame(death(outcome), await deathWithout());
  const [file] = dumpsIn(t, folder, outcome);
  leakIsOnTop(t, file!, 'keepsObjects');
});

t.test('a directory that cannot be written to: the program ends the same way, with a message', async (t) => {
  const folder = t.testdir({ dumps: {}, workers: {} });
  const remove = join(folder, 'dumps');
  const outcome = await runOut({ remove, start: { heapLimitDump: remove } });
  t.strictSame(death(outcome), await deathWithout());
  t.same(readdirSync(folder), ['workers']);
  t.equal(said(outcome).length, 1);
  t.match(
    said(outcome)[0],
    /^memprof: out of heap, and cannot write .*\.oom\.txt: No such file or directory$/,
  );

  const gone = '/proc/self/fd';
  const inWorkers = await runOut({ workers: 2, start: { heapLimitDump: gone } });
  t.same(JSON.parse(inWorkers.stdout), Array(2).fill('ERR_WORKER_OUT_OF_MEMORY 1'));
  t.equal(said(inWorkers).length, 2);
});

t.test('no dump unless wanted', async (t) => {
  const folder = t.testdir({});
  for (const settings of [
    { start: {} },
    { start: { heapLimitDump: null } },
    { stop: true, start: { heapLimitDump: folder } },
  ]) {
    const outcome = await runOut(settings);
    t.equal(outcome.signal, 'SIGABRT');
    t.same(said(outcome), []);
  }
  t.same(readdirSync(folder), []);
});

t.test('options and status', async (t) => {
  t.equal(checkStartOptions({ heapLimitDump: 'a/../b' }).heapLimitDump, join(process.cwd(), 'b'));
  t.equal(checkStartOptions({ heapLimitDump: null }).heapLimitDump, '');
  t.notOk('heapLimitDump' in checkStartOptions({}));
  for (const [value, code] of [
    [1, 'ERR_MEMPROF_INVALID_ARG_TYPE'],
    [true, 'ERR_MEMPROF_INVALID_ARG_TYPE'],
    ['', 'ERR_MEMPROF_OUT_OF_RANGE'],
    ['a\0b', 'ERR_MEMPROF_OUT_OF_RANGE'],
  ] as const) {
    t.throws(() => start({ heapLimitDump: value as string }), { code });
  }
  t.throws(() => start({ heapLimitDump: join(__filename, 'x') }), { code: 'ERR_MEMPROF_DIRECTORY' });
  t.match(status(), { state: 'stopped', dump: { directory: null, problem: null } });
  const folder = t.testdir({});
  start({ heapLimitDump: folder });
  t.match(status(), { dump: { directory: folder, problem: null } });
  stop();
  t.match(status(), { dump: { directory: null, problem: null } });
  start();
  t.equal(status().dump.directory, folder, 'what is left out is as before');
  stop();
  start({ heapLimitDump: null });
  t.equal(status().dump.directory, null);
  stop();
});

t.test('memprof run leaves the dump beside its profiles, and shows it', async (t) => {
  const folder = t.testdir({});
  const program = [programPath('heap-limit-dump'), JSON.stringify({})];
  const run = memprof(['run', '--dir', folder, '--', '--max-old-space-size=32', ...program]);
  t.equal(run.signal, 'SIGABRT');
  const [name, ...more] = readdirSync(folder);
  t.same(more, []);
  t.match(name, FILE);
  t.match(run.stderr, /memprof: .* in use at the end, most of it by\n +[\d.]+MB [ \d.]+% {2}keepsObjects /);
  t.match(run.stderr, `memprof: wrote ${relative('.', join(folder, name!))}`);
  t.notMatch(run.stderr, 'no profile was written');

  const again = memprof([
    'run',
    '--dir',
    folder,
    '--',
    ...program.slice(0, 1),
    JSON.stringify({ workers: 1 }),
  ]);
  t.equal(again.code, 0);
  // A profile of the peak may lie beside them.
  t.equal(
    again.stderr.match(/^memprof: wrote (?!.*memprof-peak)/gm)?.length,
    2,
    'the dump of the worker, and the profile',
  );
  t.equal(readdirSync(folder).filter((name) => !name.startsWith('memprof-peak')).length, 3);
});

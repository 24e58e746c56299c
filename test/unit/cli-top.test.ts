import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { formatPercentage, formatTime, formatValue } from '#dist/analysis/units.js';
import { after, before, fixtures, golden, goPprof, main, memprof, plainNode } from '../support/cli.js';
import { needs } from '../support/tools.js';

function sameAsGo(t: Test, command: string, options: readonly string[], file: string): void {
  const own = options.some((option) => /^-(lines|addresses|files|filefunctions)$/.test(option))
    ? options
    : ['--functions', ...options];
  const { code, stdout } = memprof([command, ...own, file]);
  t.equal(code, 0);
  const expected = goPprof([`-${command}`, ...options, file]);
  t.ok(expected.split('\n').length > 5, 'there is a table');
  t.equal(stdout, expected, `${command} ${options.join(' ')} ${path.basename(file)}`);
}

t.test('top and tree print what go tool pprof does, from a proto of Go', needs('go'), async (t) => {
  for (const type of ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space']) {
    for (const options of [[], ['-cum'], ['-lines', '-nodecount=5'], ['-addresses', '-nodefraction=0']]) {
      sameAsGo(t, 'top', [`-sample_index=${type}`, ...options], after);
    }
    sameAsGo(t, 'tree', [`-sample_index=${type}`], after);
  }
  sameAsGo(t, 'top', ['-filefunctions', '-nodefraction=0.1'], before);
  sameAsGo(t, 'top', ['-files'], before);
});

t.test('filters', needs('go'), async (t) => {
  sameAsGo(t, 'top', ['-focus=even', '-nodefraction=0'], after);
  sameAsGo(t, 'top', ['-ignore=even|func1', '-cum'], after);
  sameAsGo(t, 'top', ['-hide=main.main|put', '-sample_index=1'], after);
  sameAsGo(t, 'tree', ['-focus=put', '-ignore=odd', '-hide=runtime'], after);
});

t.test('a base is subtracted', needs('go'), async (t) => {
  for (const type of ['0', '1', '2', '3']) {
    sameAsGo(t, 'top', [`-sample_index=${type}`, `-base=${before}`], after);
    sameAsGo(t, 'top', [`-sample_index=${type}`, '-cum', `-base=${after}`], before);
  }
});

t.test('peek', needs('go'), async (t) => {
  const { stdout } = memprof(['peek', '--functions', '--sample_index', 'alloc_space', after, 'put|even']);
  t.equal(stdout, goPprof(['-peek=put|even', '-sample_index=alloc_space', after]));
});

t.test('recursion counts once in cum', needs('go'), async (t) => {
  const { stdout } = memprof(['top', '--functions', '-alloc_objects', '-nodefraction=0', after]);
  const total = Number(/of (\d+) total/.exec(stdout)?.[1]);
  const even = stdout.split('\n').find((line) => line.endsWith('  main.even'));
  t.ok(even !== undefined && Number(even.trim().split(/\s+/)[3]) < total);
});

t.test('figures of a text of Go are those of go tool pprof', needs('go'), async (t) => {
  // Go finds no names in the text, and all addresses are alike to it: so compare address by address.
  for (const type of ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space']) {
    const options = [`-sample_index=${type}`, '-addresses', '-nodefraction=0'];
    const anonymous = (table: string) => table.replace(/([0-9a-f]{16}) .*/g, '$1');
    t.equal(
      anonymous(memprof(['top', ...options, golden]).stdout),
      anonymous(goPprof(['-top', ...options, golden])),
    );
  }
});

t.test('and so are its names, where go tool pprof can ask for them', needs('go'), async (t) => {
  for (const name of ['go-heap-rate1024.txt', 'go-heap-rate524288.txt']) {
    // In texts, Go cuts frames of its runtime, and takes unknown frames for the program's: it would cut nearly all.
    const profile = readFileSync(path.join(fixtures, 'golden', name), 'utf8').replaceAll('runtime.', 'rt.');
    const file = path.join(t.testdir(), name);
    writeFileSync(file, profile);
    for (const options of [[], ['-sample_index=alloc_space', '-cum'], ['-sample_index=0', '-focus=Dead']]) {
      const expected = await goPprofWithSymbols(profile, ['-top', ...options], t.testdirName);
      t.match(expected, /main\.alloc/);
      t.equal(memprof(['top', '--functions', ...options, file]).stdout, expected);
    }
  }
});

async function goPprofWithSymbols(profile: string, args: readonly string[], folder: string): Promise<string> {
  const names = new Map<bigint, string>();
  for (const [, address, name] of profile.matchAll(/^#\t(0x[0-9a-f]+)\t+(\S+?)\+0x/gm)) {
    names.set(BigInt(address!), name!);
  }
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') {
      response.end(profile);
      return;
    }
    const known = (await text(request)).split('+').filter((address) => names.has(BigInt(address)));
    const lines = known.map((address) => `${address} ${names.get(BigInt(address))}\n`);
    response.end(`num_symbols: 1\n${lines.join('')}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const child = spawn('go', ['tool', 'pprof', ...args, `http://127.0.0.1:${port}/debug/pprof/heap`], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, PPROF_TMPDIR: folder },
  });
  const output = await text(child.stdout ?? Readable.from([]));
  server.close();
  return output;
}

t.test('standard input', async (t) => {
  t.equal(memprof(['top', '-'], { input: readFileSync(after) }).stdout, memprof(['top', after]).stdout);
});

t.test('no colours but on a terminal', async (t) => {
  t.notOk(memprof(['top', after], { env: { ...process.env, FORCE_COLOR: '' } }).stdout.includes('\u001b'));
});

t.test('colours on a terminal, unless it or the user has none', needs('script'), async (t) => {
  const onTerminal = (env: NodeJS.ProcessEnv) => {
    // In a CI that it does not know Node.js takes terminals for colourless.
    const { CI, FORCE_COLOR, NO_COLOR, ...others } = process.env;
    const command = [...plainNode, main, 'top', after].map((word) => `'${word}'`).join(' ');
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { ...others, TERM: 'xterm-256color', ...env },
    });
    t.match(stdout, 'main.inlines');
    return stdout;
  };
  t.ok(onTerminal({}).includes('\u001b[31m'));
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) t.notOk(onTerminal(env).includes('\u001b'));
});

t.test('names cannot send control characters to the terminal', async (t) => {
  const file = path.join(t.testdir(), 'hostile.txt');
  writeFileSync(
    file,
    'heap profile: 1: 4096 [2: 8192] @ heap/2\n1: 4096 [2: 8192] @ 0x11\n#\t0x10\tevil\u001b[31m\u202e+0x0\t/a.js:1\n',
  );
  const { stdout } = memprof(['top', '--lines', file]);
  t.match(stdout, 'evil');
  for (const sign of ['\u001b', '\u202e']) t.notOk(stdout.includes(sign));
});

t.test('units and shares are rounded as Go does', async (t) => {
  // Checked with Go's fmt.
  const values = [0, 3, 128, 1023, 1024, 1152, 1280, 1664, 524800, 1572864, 5 * 2 ** 30, -1152];
  t.same(
    values.map((value) => formatValue(value, 'bytes')),
    ['0', '3B', '128B', '1023B', '1kB', '1.12kB', '1.25kB', '1.62kB', '512.50kB', '1.50MB', '5GB', '-1.12kB'],
  );
  const shares: [number, number][] = [
    [1, 3],
    [1, 800],
    [5, 800],
    [1, 1600],
    [1, 1e6],
    [1, 3e7],
    [0, 1],
    [9996, 1e6],
    [9996, 10000],
    [1, 0],
  ];
  t.same(
    shares.map(([value, total]) => formatPercentage(value, total)),
    ['33.33%', ' 0.12%', ' 0.62%', '0.062%', '0.0001%', '3.3e-06%', '    0%', '    1%', '  100%', '    0%'],
  );
  t.equal(formatValue(1234567890, 'nanoseconds'), '1.23s');
  t.equal(formatValue(7, 'count'), '7');
  t.equal(formatValue(1536, 'bytes', 'MB'), '0');
  t.same([0.5, 35.07, 119.9, 120, 305.83, 721.46, 7199, 7200, 90_000, 172_800, 1e6].map(formatTime), [
    '500ms',
    '35.07s',
    '119.90s',
    '2 minutes',
    '5.1 minutes',
    '12 minutes',
    '120 minutes',
    '2 hours',
    '25 hours',
    '2 days',
    '12 days',
  ]);
});

t.test("a file with a symbol section, which Go's tool does not read", (t) => {
  const file = path.join(fixtures, 'vectors', 's01_sym_direct.prof');
  const run = memprof(['top', '--functions', file]);
  t.equal(run.code, 0, run.stderr);
  t.match(run.stdout, 'Showing nodes accounting for 6656kB, 100% of 6656kB total');
  t.match(run.stdout, / 5120kB 76\.92% .* main\.a\n/);
  t.end();
});

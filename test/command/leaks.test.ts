import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t, { type Test } from 'tap';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { parseProfile } from '#dist/index.js';
import { after, before, golden, main, memprof, plainNode, type Run } from '../support/cli.js';
import { runCommand, runProgram } from '../support/run.js';

interface Row {
  growth: string;
  samples: string;
  chance: string;
  verdict: string;
  site: string;
  stack: string[];
}

function rowsOf(stdout: string): Row[] {
  const rows: Row[] = [];
  for (const line of stdout.split('\n')) {
    const row = /^ *(\S+) +(\S+) +(\d+ -> \d+) +(\S+) {2}(certain|likely|noise) +(\S.*)$/.exec(line);
    if (row !== null) {
      const [, growth, , samples, chance, verdict, site] = row;
      rows.push({
        growth: growth!,
        samples: samples!,
        chance: chance!,
        verdict: verdict!,
        site: site!,
        stack: [],
      });
    } else if (/^ {50,}\S/.test(line)) rows.at(-1)!.stack.push(line.trim());
  }
  return rows;
}

/** Files of the form asked for that the program wrote, in the order of time. */
async function written(t: Test, count: number, step: number): Promise<{ protos: string[]; texts: string[] }> {
  const directory = t.testdir({});
  const { code, stderr } = await runProgram('leaking-slowly', {
    args: [directory, String(count), String(step)],
  });
  if (code !== 0) throw new Error(stderr);
  const files = readdirSync(directory).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  const ending = (end: string) =>
    files.filter((file) => file.endsWith(end)).map((file) => path.join(directory, file));
  return { protos: ending('.pb.gz'), texts: ending('.txt') };
}

function fine(t: Test, run: Run): string {
  t.equal(run.code, 0, run.stderr);
  t.equal(run.stderr, '');
  return run.stdout;
}

t.test('a program that leaks, in three profiles', async (t) => {
  const { protos } = await written(t, 3, 1000);
  const stdout = fine(t, memprof(['leaks', '--all', ...protos]));
  t.match(stdout, /^3 profiles over \d+(\.\d+)?m?s; in use: \S+B at first, \S+B at last\n/);
  const [first] = rowsOf(stdout);
  t.match(first!.site, /^remember .*leaking-slowly\.cjs:\d+$/, 'the function that leaks comes first');
  t.match(first!.stack[0], /^main .*leaking-slowly\.cjs:\d+$/, 'with the way to it');
  t.match(stdout, 'Nothing is certain with fewer than 4 profiles');
});

t.test('a program that leaks, in fourteen profiles', async (t) => {
  const { protos, texts } = await written(t, 14, 300);
  const stdout = fine(t, memprof(['leaks', ...protos]));
  const rows = rowsOf(stdout);
  t.match(rows[0], { site: /^remember /, verdict: 'certain', chance: '<0.001' });
  t.notOk(
    rows.some(({ site }) => /^(fillCache|churn) /.test(site)),
    'what only goes up and down is no leak',
    { stdout },
  );
  t.match(stdout, /\d+ other sites? do(es)? not grow steadily/);
  // 33 things of 128 bytes a millisecond, and the array they are in: 4.3 MB/s. Some 1000 samples: sigma 3 %; and the
  // array grows in steps.
  const growth = Number(/^(.*)MB$/.exec(rows[0]!.growth)![1]);
  t.ok(Math.abs(growth / 4.3 - 1) < 0.2, 'the growth is right', { growth });

  const shuffled = [3, 1, 7, 0, 13, 6, 2, 9, 8, 12, 5, 4, 11, 10].map((at) => protos[at]!);
  t.equal(memprof(['leaks', ...shuffled]).stdout, stdout, 'protos are put in order of time');

  const text = fine(t, memprof(['leaks', '--all', ...texts]));
  t.match(text, /growth\/profile /, 'texts have no times');
  const byText = rowsOf(text);
  t.match(byText[0], { site: /^remember / });
  t.equal(byText[0]!.samples, rows[0]!.samples, 'texts have the same samples');

  const byFunction = rowsOf(fine(t, memprof(['leaks', '--functions', ...protos])));
  t.equal(byFunction[0]!.site, 'remember');
  t.equal(rowsOf(fine(t, memprof(['leaks', '-n', '1', '--all', ...protos]))).length, 1);
});

/** Serves what `answer` gives for the n-th request. */
async function serve(t: Test, answer: (count: number) => Buffer | string | number): Promise<string> {
  let count = 0;
  const server = createServer((_, response) => {
    const body = answer(count++);
    if (typeof body === 'number') response.writeHead(body).end('no');
    else response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/debug/pprof/heap`;
}

function memprofAside(args: readonly string[]): Promise<Run> {
  const [command, ...rest] = plainNode;
  return runCommand(command, [...rest, main, ...args]);
}

const PERIOD = 524_288;

/** A profile with so many samples of 1 kB objects in use by `leak`; without a time if it is not given. */
function made(samples: number, seconds?: number): Buffer {
  const objects = Math.round(samples / (1 - Math.exp(-1024 / PERIOD)));
  const frame = (functionName: string, lineNumber: number) => ({
    functionName,
    fileName: '/app/a.js',
    lineNumber,
    address: lineNumber,
  });
  const { timeNanos, ...base } = parseProfile(readFileSync(after));
  t.ok(timeNanos);
  const values = [objects, objects * 1024];
  return Buffer.from(
    encodeProto({
      ...base,
      period: PERIOD,
      ...(seconds !== undefined && { timeNanos: seconds * 1e9 }),
      samples: [
        {
          values: [...values, ...values],
          stack: [frame('leak', 7), frame('\u001b[31mmain', 9)],
          labels: {},
          numLabels: {},
        },
      ],
    }),
  );
}

t.test('profiles fetched of one URL', async (t) => {
  const asked: number[] = [];
  // Growth is by the clock, as a busy machine asks late.
  const samples = (at: number) => 20 + Math.round((30 * (asked[at]! - asked[0]!)) / 200);
  const url = await serve(t, (count) => {
    asked.push(Date.now());
    return made(samples(count));
  });
  const began = Date.now();
  const stdout = fine(t, await memprofAside(['leaks', url, '--count', '6', '--every', '200ms']));
  t.equal(asked.length, 6);
  t.ok(asked[5]! - began >= 990, 'in between, it waits', { began, asked });
  const [row] = rowsOf(stdout);
  t.match(row, { site: 'leak /app/a.js:7', samples: `20 -> ${samples(5)}` });
  t.not(row!.verdict, 'noise');
  t.match(stdout, /growth\/s /, 'profiles without times have those of fetching');
  t.match(row!.stack, ['\\u001b[31mmain /app/a.js:9'], 'names are printable');
});

t.test('figures', async (t) => {
  const directory = t.testdir({});
  const files = [0, 1, 2, 3, 4].map((at) => {
    const file = path.join(directory, `${at}.pb`);
    writeFileSync(file, made(100 + 60 * at, 1e9 + 60 * at));
    return file;
  });
  const [row] = rowsOf(fine(t, memprof(['leaks', ...files])));
  // 60 samples a minute, each for 524,800 bytes.
  t.match(row, { growth: '512.50kB', samples: '100 -> 340', verdict: 'certain', chance: '<0.001' });
  const url = await serve(t, (count) => readFileSync(files[count]!));
  const run = await memprofAside(['leaks', url, url, url, url, url]);
  t.same(rowsOf(fine(t, run)), [row], 'several URLs are fetched once each, and tell their times');

  const same = memprof(['leaks', files[0]!, files[1]!, files[0]!]);
  t.equal(same.code, 1);
  t.match(same.stderr, /^memprof: \S+0\.pb and \S+0\.pb have the same time[^\n]*\n$/);

  const still = fine(t, memprof(['leaks', golden, golden, golden]));
  t.match(still, /None of \d+ sites? grows steadily/);
  const later = path.join(directory, 'later.pb');
  writeFileSync(later, made(50, 2e9));
  const restarted = memprof(['leaks', files[4]!, later]);
  t.equal(restarted.code, 0);
  t.match(
    restarted.stderr,
    /^memprof: \S+later\.pb has fewer allocations than \S+4\.pb: it may be from another run/,
  );
});

t.test('two profiles are compared, but never certain', async (t) => {
  const stdout = fine(t, memprof(['leaks', '--all', '-n', '0', after, before]));
  const rows = rowsOf(stdout);
  t.ok(rows.length > 10);
  t.notOk(rows.some(({ verdict }) => verdict === 'certain'));
  t.match(stdout, 'Two profiles cannot distinguish');
});

t.test('failures are one line, exit code 1', async (t) => {
  const notFound = await serve(t, () => 404);
  const garbage = await serve(t, () => 'hello\nworld\n');
  const later = await serve(t, (count) => (count === 0 ? made(1) : 500));
  const directory = t.testdir({ 'empty.pb': '' });
  const growthz = path.join(directory, 'growth.txt');
  writeFileSync(growthz, 'heap profile: 1: 8 [1: 8] @ growthz\n1: 8 [1: 8] @ 0x10\n');
  const cpu = path.join(directory, 'cpu.pb');
  const sampleTypes = [{ type: 'cpu', unit: 'nanoseconds' }];
  writeFileSync(
    cpu,
    encodeProto({ ...parseProfile(readFileSync(after)), sampleTypes, defaultSampleType: 'cpu', samples: [] }),
  );
  const cases: [args: string[], expected: RegExp][] = [
    [['http://127.0.0.1:9/debug/pprof/heap'], /127\.0\.0\.1:9\/debug\/pprof\/heap: /],
    [
      ['http://me:secret@127.0.0.1:1/'],
      /http:\/\/127\.0\.0\.1:1\/debug\/pprof\/heap\?gc=1: (connection refused|bad port)/,
    ],
    [['http://no-such-host.invalid/'], /no-such-host\.invalid\/debug\/pprof\/heap\?gc=1: /],
    [['http://['], /not a valid URL/],
    [[notFound], /: HTTP 404 Not Found/],
    [[garbage], /: line 1: expected a heap profile|expected/],
    [[later, '--every', '10ms'], /: HTTP 500/],
    [[before, '/no/such/file'], /\/no\/such\/file: no such file/],
    [[before, path.join(directory, 'empty.pb')], /empty\.pb: the input is empty/],
    [[before, cpu], /cpu\.pb: not a heap profile/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await memprofAside(['leaks', ...args]);
    t.equal(code, 1, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, expected);
    t.match(stderr, /^memprof: [^\n]+\n$/, 'one line');
    t.notMatch(stderr, 'secret');
  }
});

t.test('wrong usage: exit code 2', async (t) => {
  const cases: [args: string[], expected: RegExp][] = [
    [[], /URL or FILE is missing/],
    [[before], /give two or more profiles: one alone shows no growth/],
    [['-', '-'], /only one of the profiles can be standard input/],
    [[before, after, '--count', '3'], /--count and --every need a single URL/],
    [['http://localhost', '--count', '1'], /--count must be an integer from 2 to/],
    [['http://localhost', '--every', 'often'], /--every must be a duration from 10ms to 24h, with its unit/],
    [[before, after, '--granularity', 'x'], /--granularity must be places or functions or/],
    [[before, after, '--cuont', '3'], /unknown option --cuont: did you mean --count\?/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = memprof(['leaks', ...args]);
    t.equal(code, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, expected);
    t.match(stderr, /^memprof: [^\n]+\nTry 'memprof leaks --help'\.\n$/);
  }
});

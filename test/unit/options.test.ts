import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import client from 'prom-client';
import t from 'tap';
import { native } from '#dist/addon/native.js';
import { nearest } from '#dist/base/nearest.js';
import { boolean, type integer } from '#dist/base/option-kinds.js';
import { defaultOf, flagName, OPTIONS, type Option, optionsOf, variableName } from '#dist/base/options.js';
import { readVariables } from '#dist/base/read-variables.js';
import { assertAllocs, countObjects, measure } from '#dist/bench.js';
import { flagsOf } from '#dist/cli/options.js';
import { handler, serve } from '#dist/http.js';
import { lookup, parseProfile, readMemStats, start, stop, writeHeapProfile } from '#dist/index.js';
import { LIMITS } from '#dist/profile/limits.js';
import { memprofMetrics } from '#dist/prometheus.js';
import { push } from '#dist/pyroscope.js';
import { after, memprof } from '../support/cli.js';
import { fixtures, plainNode, root } from '../support/run.js';

const register = path.join(root, 'dist', 'register.js');

/** Options that types forbid. */
// biome-ignore lint/suspicious/noExplicitAny: that is what is tested
const wrong = (options: object) => options as any;

t.test('hazard: a misspelt option of the API passes silently', async (t) => {
  const target = { url: 'http://127.0.0.1:1', name: 'x' };
  const cases: [call: () => unknown, message: RegExp][] = [
    [
      () => start(wrong({ sampleIntervall: 1 })),
      /options\.sampleIntervall is unknown: did you mean sampleInterval\?/,
    ],
    [() => start(wrong({ interval: 1 })), /did you mean sampleInterval\?/],
    [() => start(wrong({ depth: 64 })), /did you mean stackDepth\?/],
    [() => start(wrong({ bufferInterval: 1 })), /did you mean bufferSampleInterval\?/],
    [() => start(wrong({ nonsense: undefined })), /start takes sampleInterval, stackDepth, /],
    [() => measure(() => 1, wrong({ warmup: 1 })), /did you mean warmUp\?/],
    [
      () => countObjects('x', 'y', wrong({ args: [] })),
      /options\.args is unknown: countObjects takes warmUp, time, timeout/,
    ],
    [
      () => assertAllocs(wrong({ maxBytesPerOp: 1, maxAllocPerOp: 1 }), () => 1),
      /limits\.maxAllocPerOp .* maxAllocsPerOp\?/,
    ],
    [() => assertAllocs({ maxBytesPerOp: 1 }, () => 1, wrong({ warmup: 1 })), /did you mean warmUp\?/],
    [() => readMemStats(wrong({ scop: 'process' })), /did you mean scope\?/],
    [() => parseProfile(readFileSync(after), wrong({ maxbytes: 9 })), /did you mean maxBytes\?/],
    [() => handler(wrong({ tokn: 'x' })), /did you mean token\?/],
    [
      () => handler(wrong({ maxSeconds: 9 })),
      /handler takes token, insecure, maxConcurrent, maxDuration, sourceMaps/,
    ],
    [() => serve(wrong({ prot: 0 })), /did you mean port\?/],
    [() => push(wrong({ ...target, intervalSeconds: 9 })), /did you mean interval\?/],
    [() => push(wrong({ ...target, timeoutSeconds: 9 })), /did you mean timeout\?/],
    [() => memprofMetrics(wrong({ registry: new client.Registry() })), /did you mean register\?/],
    [
      () => lookup('heap').writeTo(new PassThrough(), 0, wrong({ sourcemaps: false })),
      /did you mean sourceMaps\?/,
    ],
    [() => writeHeapProfile(new PassThrough(), wrong({ fromat: 'folded' })), /did you mean format\?/],
  ];
  for (const [call, message] of cases) {
    const expected = { name: 'TypeError', code: 'ERR_MEMPROF_UNKNOWN_OPTION', message };
    await t.rejects(async () => call(), expected, String(call));
  }
  t.equal(native().readStatus().state, 0, 'nothing was started');
});

t.test('hazard: an option of writeTo that has no effect passes silently', async (t) => {
  const heap = lookup('heap');
  const range = (message: RegExp) => ({ name: 'RangeError', code: 'ERR_MEMPROF_OUT_OF_RANGE', message });
  for (const options of [{ format: 'folded' }, { format: 'pprof' }, { sampleType: 'alloc_space' }] as const) {
    await t.rejects(
      heap.writeTo(new PassThrough(), 1, options),
      range(/must be left out where debug is not 0/),
    );
  }
  for (const header of ['heap', 'heap_v2'] as const) {
    await t.rejects(
      heap.writeTo(new PassThrough(), 0, { header }),
      range(/options\.header must be left out with debug 0/),
    );
  }
  start({ sampleInterval: 1024 });
  for (const [name, sampleType, expected] of [
    ['heap', 'alloc_objects', 'alloc_objects'],
    ['heap', undefined, 'inuse_space'],
    ['allocs', undefined, 'alloc_space'],
    ['allocs', 'inuse_objects', 'inuse_objects'],
  ] as const) {
    const sink = new PassThrough();
    const bytes = buffer(sink);
    await lookup(name).writeTo(sink, 0, sampleType === undefined ? {} : { sampleType });
    sink.end();
    t.equal(parseProfile(await bytes).defaultSampleType, expected, `${name} ${sampleType}: shown first`);
  }
  stop();
});

t.test('hazard: a misspelt variable passes silently', async (t) => {
  const folder = t.testdir({});
  const wrongs: [env: Record<string, string>, message: string][] = [
    [{ MEMPROF_INTERVALL: '64k' }, 'MEMPROF_INTERVALL is unknown: did you mean MEMPROF_SAMPLE_INTERVAL?'],
    [{ MEMPROF_DEPTH: '9' }, 'MEMPROF_DEPTH is unknown: did you mean MEMPROF_STACK_DEPTH?'],
    [{ MEMPROF_OVERHEAD: '1' }, 'MEMPROF_OVERHEAD is unknown: did you mean MEMPROF_MAX_OVERHEAD?'],
    [{ MEMPROF_NONSENSE: '1' }, 'MEMPROF_NONSENSE is unknown'],
    [{ MEMPROF: 'depht=9' }, '"depht" in MEMPROF is unknown: did you mean stack-depth?'],
  ];
  const program = path.join(fixtures, 'run', 'app.cjs');
  for (const [env, message] of wrongs) {
    t.strictSame(readVariables('register', env).problems, [message]);
    t.strictSame(readVariables('run', env).problems, [message]);
  }
  const [env, message] = wrongs[0]!;
  const [command, ...before] = plainNode;
  const dropIn = spawnSync(command, [...before, '--require', register, '-e', '0'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  t.equal(dropIn.status, 0);
  t.match(dropIn.stderr, `MemprofWarning: ${message}`);
  const ran = memprof(['run', '-q', '--dir', folder, program], { env: { ...process.env, ...env } });
  t.equal(ran.code, 0);
  t.equal(ran.stderr, `memprof: ${message}\n`);
  const others = { MEMPROF_HTTP: '6060', MEMPROF: 'at-exit=1' };
  t.strictSame(readVariables('run', others).problems, [
    '"at-exit" in MEMPROF has no effect on memprof run',
    'MEMPROF_HTTP has no effect on memprof run',
  ]);
  const notOurs = {
    MEMPROF_SERVICE_HOST: '10.0.0.1',
    MEMPROF_PORT: 'tcp://10.0.0.1:6060',
    MEMPROF_PORT_6060_TCP: 'tcp://10.0.0.1:6060',
    MEMPROF_TEST_SOAK: '1',
    MEMPROF_RUN: '{}',
    MEMPROF_EMPTY: '',
    MEMPROFILE: '1',
  };
  t.strictSame(
    readVariables('register', notOurs),
    { values: {}, problems: [] },
    "Kubernetes's, tests', empty",
  );
});

t.test('memprof run takes variables, and flags win', (t) => {
  const env = {
    ...process.env,
    MEMPROF: 'sample-interval=64k',
    MEMPROF_FORMAT: 'txt',
    MEMPROF_SAMPLE_INTERVAL: '32k',
  };
  const program = path.join(fixtures, 'run', 'app.cjs');
  const headerOf = (args: string[]) => {
    const dir = mkdtempSync(path.join(t.testdirName, 'run-'));
    const { code, stderr } = memprof(['run', '-q', '--dir', dir, ...args, program], { env });
    t.equal(code, 0);
    t.equal(stderr, '');
    const file = path.join(dir, readdirSync(dir)[0]!);
    return readFileSync(file, 'utf8').split('\n')[0]!;
  };
  t.testdir({});
  t.match(headerOf([]), /^heap profile: .* @ heap\/65536$/);
  t.match(headerOf(['--sample-interval=128k']), /^heap profile: .* @ heap\/262144$/);
  t.notMatch(headerOf(['--format=pb.gz']), 'heap profile');
  t.end();
});

t.test('hazard: a misspelt flag, or one of another name, passes silently', (t) => {
  const cases: [args: string[], expected: RegExp][] = [
    [['run', '--interval=64k', 'x.js'], /unknown option --interval: did you mean --sample-interval\?/],
    [['run', '--depth', '9', 'x.js'], /unknown option --depth: did you mean --stack-depth\?/],
    [['run', '--overhead', '1', 'x.js'], /unknown option --overhead: did you mean --max-overhead\?/],
    [['run', '--buffer_interval=1', 'x.js'], /--buffer_interval: did you mean --buffer-sample-interval\?/],
    [['run', '--no_source_maps', 'x.js'], /--no_source_maps: did you mean --no-source-maps\?/],
    [['run', '--max-pause=20', 'x.js'], /--max-pause must be a duration from 1ms to 1s, with its unit/],
    [['leaks', '--every', '60', 'http://127.0.0.1:1/'], /--every must be a duration/],
    [['convert', '--sample-index=0', after, '-o', 'x.txt'], /--sample-index has no effect on txt/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = memprof(args);
    t.equal(code, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, expected);
  }
  const expected = memprof(['top', '--sample-index=alloc_space', '--node-count=3', after]).stdout;
  t.match(expected, 'Type: alloc_space');
  for (const args of [
    ['--sample_index=alloc_space', '--nodecount=3'],
    ['-sample_index', 'alloc_space', '-nodecount=3'],
    ['--alloc_space', '-n=3'],
    ['--alloc-space', '-n', '3'],
  ]) {
    t.equal(
      memprof(['top', ...args, after]).stdout,
      expected,
      `as go tool pprof spells it: ${args.join(' ')}`,
    );
  }
  t.end();
});

t.test('convert --sample-index is what pprof shows first', (t) => {
  const file = path.join(t.testdir({}), 'x.pb.gz');
  for (const [args, type] of [
    [['--sample-index=alloc_objects'], 'alloc_objects'],
    [[], parseProfile(readFileSync(after)).defaultSampleType],
  ] as const) {
    t.equal(memprof(['convert', after, '-o', file, ...args]).code, 0);
    t.equal(parseProfile(readFileSync(file)).defaultSampleType, type);
  }
  t.end();
});

t.test('nearest', (t) => {
  const names = ['sampleInterval', 'stackDepth', 'maxOverhead', 'bufferSampleInterval', 'buffers', 'dir'];
  for (const [word, expected] of [
    ['sampleInterval', 'sampleInterval'],
    ['SAMPLE_INTERVAL', 'sampleInterval'],
    ['sample-intervall', 'sampleInterval'],
    ['intervall', 'sampleInterval'],
    ['buffer', 'buffers'],
    ['bufers', 'buffers'],
    ['buffer_interval', 'bufferSampleInterval'],
    ['directory', undefined],
    ['', undefined],
    ['--', undefined],
    ['ÿ', undefined],
    ['__proto__', undefined],
    ['x'.repeat(200), undefined],
  ] as const) {
    t.equal(nearest(word, names), expected, word);
  }
  t.end();
});

// From here on: that there is one table, and everything comes from it.

t.test('an option that is added to the table is everywhere', async (t) => {
  const built = (file: string) => require(path.join(root, 'dist', file));
  const options = built('base/options.js') as typeof import('#dist/base/options.js');
  const { integer: builtInteger } = built('base/option-kinds.js') as { integer: typeof integer };
  const added: Option = {
    name: 'testSparkle',
    takers: ['start', 'register', 'run'],
    kind: builtInteger(1, 9),
    default: 7,
    help: 'how bright it is',
  };
  const memprof = built('index.js') as typeof import('#dist/index.js');
  const settings = built('launch/settings.js') as typeof import('#dist/launch/settings.js');
  const help = built('cli/help.js') as typeof import('#dist/cli/help.js');
  const completion = built('cli/completion.js') as typeof import('#dist/cli/completion.js');
  const { run } = built('cli/run.js') as typeof import('#dist/cli/run.js');
  const { parseFlags } = built('cli/options.js') as typeof import('#dist/cli/options.js');
  const { withTables } = require(path.join(root, 'docs', 'option-tables.cjs')) as {
    withTables(text: string): string;
  };
  const page =
    '<!-- options of start -->\n<!-- end of options -->\n<!-- options by variable -->\n<!-- end of options -->';

  const found = () => ({
    api: codeOf(() => memprof.start(wrong({ testSparkle: 'bright' }))),
    range: codeOf(() => memprof.start(wrong({ testSparkle: 10 }))),
    variable: settings.readSettings({ MEMPROF_TEST: '', MEMPROF: 'test-sparkle=3' }).settings.start,
    problems: settings.readSettings({ MEMPROF: 'test-sparkle=30' }).problems.length,
    flag: codeOf(() => parseFlags('run', ['--test-sparkle=3'])),
    value: (() => {
      try {
        return parseFlags('run', ['--test-sparkle=3']).values.testSparkle;
      } catch {
        return undefined;
      }
    })(),
    help: /--test-sparkle N +how bright it is \(default 7\)/.test(help.commandHelp(run)),
    completion: (['bash', 'zsh', 'fish'] as const).map((shell) =>
      completion.completionScript(shell, [run]).includes('test-sparkle'),
    ),
    documentation: [
      /`testSparkle` \| `7` \| how bright it is \(1 … 9\)/,
      /`MEMPROF_TEST_SPARKLE` \| `7` \|/,
    ].map((row) => row.test(withTables(page))),
  });

  const nowhere = found();
  t.match(nowhere, {
    api: 'ERR_MEMPROF_UNKNOWN_OPTION',
    range: 'ERR_MEMPROF_UNKNOWN_OPTION',
    problems: 1,
    value: undefined,
    help: false,
    completion: [false, false, false],
    documentation: [false, false],
  });
  t.strictSame(nowhere.variable, {});
  t.teardown(options.addOption(added));
  t.strictSame(found(), {
    api: 'ERR_MEMPROF_INVALID_ARG_TYPE',
    range: 'ERR_MEMPROF_OUT_OF_RANGE',
    variable: { testSparkle: 3 },
    problems: 1,
    flag: undefined,
    value: 3,
    help: true,
    completion: [true, true, true],
    documentation: [true, true],
  });
});

function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message;
  }
}

t.test('the tables of the documentation are current', (t) => {
  const check = spawnSync(process.execPath, [path.join(root, 'docs', 'option-tables.cjs'), '--check'], {
    encoding: 'utf8',
  });
  t.equal(check.stderr, '');
  t.equal(check.status, 0);
  const page = readFileSync(path.join(root, 'docs', 'options.md'), 'utf8');
  for (const option of OPTIONS) {
    const names = [
      `\`${option.name}\``,
      `\`${variableName(option)}\``,
      `--${flagName(option)}`,
      `--no-${flagName(option)}`,
    ];
    t.ok(
      names.some((name) => page.includes(name)),
      `${option.name} is in docs/options.md`,
    );
  }
  t.end();
});

t.test('rows are sound', (t) => {
  const seen = new Set<string>();
  for (const option of OPTIONS) {
    t.match(option.name, /^[a-z][A-Za-z]*$/);
    t.ok(option.takers.length > 0);
    for (const taker of option.takers) {
      t.notOk(seen.has(`${taker} ${option.name}`), `${option.name} of ${taker} is there once`);
      seen.add(`${taker} ${option.name}`);
      const value = defaultOf(option, taker);
      if (value === undefined || option.shownDefault !== undefined) continue;
      option.kind.check(value, option.name);
      if (['register', 'run'].includes(taker)) {
        t.strictSame(
          option.kind.parse(option.kind.show(value)),
          value,
          `${option.name}: shown as it is read`,
        );
      }
    }
  }
  for (const { short, name } of flagsOf('top')) t.notOk(short !== undefined && short.length !== 1, name);
  t.equal(variableName(optionsOf('start')[0]!), 'MEMPROF_SAMPLE_INTERVAL');
  t.equal(boolean.parse('maybe'), undefined);
  const maxBytes = optionsOf('parseProfile').find(({ name }) => name === 'maxBytes');
  t.equal(maxBytes?.default, LIMITS.inputBytes, 'what is fetched is as large as what is read');
  t.end();
});

t.test('the help of a command names its other options as flags', async (t) => {
  const { commandHelp } = await import('#dist/cli/help.js');
  const command = {
    name: 'run',
    summary: 'run',
    usage: 'run',
    details: '',
    operands: [],
    run: async () => 0,
  };
  const help = commandHelp(command as never).replace(/\s+/g, ' ');
  t.match(help, 'the finest interval that --max-overhead allows');
  t.notMatch(help, /maxOverhead|`/);
});

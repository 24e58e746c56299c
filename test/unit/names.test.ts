import path from 'node:path';
import t from 'tap';
import { foldInternals, foldMerged } from '#dist/analysis/internals.js';
import { formatTop, makeReport, prepare } from '#dist/analysis/report.js';
import { samplingErrors } from '#dist/analysis/sampling-error.js';
import { styleFor } from '#dist/analysis/style.js';
import { formatCompact, formatShare, formatWithError } from '#dist/analysis/units.js';
import { functionLabel, labelInSources, withoutPlace } from '#dist/profile/function-label.js';
import { toProfileData } from '#dist/profile/merged.js';
import type { ProfileData, ProfileFrame } from '#dist/profile/model.js';
import { root } from '../support/run.js';

t.test('a function without a name has its place in its name', async (t) => {
  const names: [Parameters<typeof functionLabel>, string][] = [
    [['', '/app/src/server.js', 35, 12], '(anonymous server.js:35)'],
    [['', 'C:\\app\\server.js', 35, 12], '(anonymous server.js:35)'],
    [['', '/app/server.js', 1, 1], '(module server.js)'],
    [['', '/app/server.js', 1, 2], '(anonymous server.js:1)'],
    [['', '/app/server.js', 1, 0], '(anonymous server.js:1)'],
    [['', '/app/server.js', -1, -1], '(anonymous server.js)'],
    [['', 'node:internal/fs/utils', 7, 3], '(anonymous node:internal/fs/utils:7)'],
    [['', 'data:text/javascript,throw/1', 2, 3], '(anonymous data::2)'],
    [['', '[eval]', 2, 9], '(anonymous eval:2)'],
    [['', '[eval1]', 1, 1], '(module eval1)'],
    [['', 'evalmachine.<anonymous>', 3, 1], '(anonymous evalmachine:3)'],
    [['', '/app/[id].js', 3, 1], '(anonymous [id].js:3)'],
    [['', '', 1, 1], '(eval)'],
    [['', '', 3, 9], '(anonymous eval:3)'],
    [['', '', 0, 0], '(anonymous)'],
    [['map', '', 0, 0], '(builtin map)'],
    [['(GC)', '', 0, 0], '(GC)'],
    [['evaluated', '', 4, 5], 'evaluated'],
    [['handle', '/app/server.js', 1, 1], 'handle'],
  ];
  for (const [given, expected] of names) t.equal(functionLabel(...given), expected);
  t.equal(labelInSources('(anonymous out.js:9)', '/app/in.ts', 4), '(anonymous in.ts:4)');
  t.equal(labelInSources('(module out.js)', '/app/in.ts', 4), '(module in.ts)');
  t.equal(withoutPlace('(anonymous server.js:35)'), '(anonymous)');
  t.equal(withoutPlace('(anonymous namespace)::f()'), '(anonymous namespace)::f()', "C++'s");
  t.equal(withoutPlace('(builtin map)'), '(builtin map)');
});

const frame = (functionName: string, fileName: string, lineNumber: number): ProfileFrame => ({
  functionName,
  fileName,
  lineNumber,
  address: 0,
});

const app = frame('(module app.js)', '/app/app.js', 1);
const handle = frame('handle', '/app/a.js', 3);
const other = frame('handle', '/app/b.js', 8);
const load = frame('Module.load', 'node:internal/modules/cjs/loader', 1257);
const trace = frame('traceSync', 'node:diagnostics_channel', 315);
const read = frame('readFileSync', 'node:fs', 441);
const own = frame('readRecords', path.join(root, 'dist/sampler/records.js'), 50);
const installed = frame('readRecords', '/x/node_modules/memprof/lib/sampler/records.ts', 50);

function profileOf(...samples: [objects: number, bytes: number, ...stack: ProfileFrame[]][]): ProfileData {
  return {
    format: 'proto',
    sampleTypes: [
      { type: 'inuse_objects', unit: 'count' },
      { type: 'inuse_space', unit: 'bytes' },
    ],
    defaultSampleType: 'inuse_space',
    periodType: { type: 'space', unit: 'bytes' },
    period: 524288,
    comments: [],
    mappings: [],
    samples: samples.map(([objects, bytes, ...stack]) => ({
      values: [objects, bytes],
      stack,
      labels: {},
      numLabels: {},
    })),
  };
}

const options = {
  sampleIndex: '',
  granularity: 'places' as const,
  filters: {},
  sortByCum: false,
  nodeCount: 0,
  nodeFraction: 0,
  edgeFraction: 0,
};

t.test('module loading and memprof are folded, and no total changes', async (t) => {
  const profile = profileOf(
    [1, 100, handle, load, trace, load, app, load],
    [1, 200, load, trace, app],
    [1, 400, own, app],
    [1, 800, installed],
    [1, 1600, read, load, app],
    [1, 3200, trace, app],
  );
  const names = foldInternals(profile).samples.map(({ stack }) => stack.map((each) => each.functionName));
  t.same(names, [
    ['handle', '(module app.js)'],
    ['(loading modules)', 'traceSync', '(module app.js)'],
    ['(memprof)', '(module app.js)'],
    ['(memprof)'],
    ['readFileSync', '(module app.js)'],
    ['traceSync', '(module app.js)'],
  ]);
  const tables = toProfileData(foldMerged(prepare(profile)));
  t.same(
    tables.samples.map(({ stack }) => stack.map((each) => each.functionName)),
    names,
    'the same in tables',
  );
  const total = (each: ProfileData) => makeReport(prepare(each), options).total;
  t.equal(total(foldInternals(profile)), total(profile));
  t.equal(foldInternals(profileOf([1, 1, handle])).samples[0]!.stack.length, 1);
});

t.test('top adds up by function and place, and says what sampling leaves open', async (t) => {
  // 100 samples of objects of 52 bytes each, and one of an object of 512 kB.
  const size = 52;
  const chance = 1 - Math.exp(-size / 524288);
  const objects = 100 / chance;
  const large = 1 / (1 - Math.exp(-1));
  const profile = profileOf([objects, objects * size, handle, app], [large, large * 524288, other, app]);
  const errors = samplingErrors([profile], 1, options)!;
  const share = errors.get('handle /app/a.js:3')! / (objects * size);
  t.ok(Math.abs(share - 0.1) < 0.001, `1 / sqrt(100) = ${share}`);
  const table = formatTop(makeReport(prepare(profile), options, errors), styleFor(process.stderr)).split(
    '\n',
  );
  t.match(table[2], /^ +flat +± +flat% +sum% +cum +cum%$/);
  t.match(table[3], /^ +50MB +±5MB +98\.\d% .* handle \/app\/a\.js:3$/);
  t.match(table[4], /^ +810kB +±491kB +1\.\d% .* handle \/app\/b\.js:8$/);
  const objectErrors = samplingErrors([profile], 0, options)!;
  t.ok(Math.abs(objectErrors.get('handle /app/a.js:3')! / objects - 0.1) < 0.001);
  t.ok(
    samplingErrors([profile, profile], 1, options)!.get('handle /app/a.js:3')! >
      errors.get('handle /app/a.js:3')!,
    'a difference has the errors of both',
  );
  t.equal(samplingErrors([{ ...profile, period: 1 }], 1, options), undefined, 'nothing was sampled');
});

t.test('figures are rounded to what is certain', async (t) => {
  const pairs: [[number, number], [string, string]][] = [
    [
      [524288, 524288],
      ['512kB', '512kB'],
    ],
    [
      [12.34e6, 1.1e6],
      ['11.8MB', '1.0MB'],
    ],
    [
      [0, 0],
      ['0', '0'],
    ],
    [
      [117, 0],
      ['117B', '0'],
    ],
    [
      [2 ** 20, 100],
      ['1.00MB', '100B'],
    ],
    [
      [-(2 ** 20), 2 ** 18],
      ['-1.00MB', '0.25MB'],
    ],
  ];
  for (const [[value, error], expected] of pairs) t.same(formatWithError(value, error, 'bytes'), expected);
  t.same(formatWithError(19327, 1932, 'count'), ['19300', '1900']);
  t.same(
    [0, 3, 1023, 1536, 12.34 * 2 ** 20].map((each) => formatCompact(each, 'bytes')),
    ['0', '3B', '1023B', '1.50kB', '12.3MB'],
  );
  t.same(
    [1, 333, 9999, 0, 0.4].map((each) => formatShare(each, 1000)),
    ['0.1%', '33.3%', '1000%', '0%', '0.04%'],
  );
});

// A child of fuzzed-inputs.test.ts: mutates inputs, keeps those that reach code that none before reached, and tells what
// became of all, as JSON.
import { readdirSync, readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { formatRaw } from '#dist/analysis/raw.js';
import { formatTop, makeReport, prepare, viewOf } from '#dist/analysis/report.js';
import { formatTags, formatTraces } from '#dist/analysis/sample-reports.js';
import { formatFolded } from '#dist/formats/folded.js';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { parseProfile } from '#dist/formats/readers.js';
import { randomProto } from './protos.js';
import { seededRandom } from './random.js';
import { fixtures } from './run.js';

export interface FuzzReport {
  runs: number;
  errors: number;
  /** Messages that are not as they should be, and what was thrown besides. */
  bad: string[];
  slowestMs: number;
  maxRssMiB: number;
  /** Inputs that reached new code, and how much of it there is. */
  kept: number;
  covered: number;
}

const count = Number(process.argv[2]);
const random = seededRandom(Number(process.argv[3]));
const below = (limit: number) => Math.floor(random() * limit);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

const session = new Session();
session.connect();
// Commands to the own thread are answered at once.
function post(method: string, parameters: object = {}): Record<string, unknown> {
  let answer: object | undefined;
  session.post(method, parameters, (error, result) => {
    if (error) throw error;
    answer = result;
  });
  return answer as Record<string, unknown>;
}

interface ScriptCoverage {
  url: string;
  functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[];
}

const covered = new Set<string>();
/** Whether code was run that was not run before. */
function reachedMore(): boolean {
  const before = covered.size;
  for (const { url, functions } of post('Profiler.takePreciseCoverage').result as ScriptCoverage[]) {
    if (!/\/dist\/(formats|profile|analysis)\//.test(url)) continue;
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        // How often tells loops apart.
        if (count > 0)
          covered.add(`${url} ${startOffset} ${endOffset} ${Math.min(8, Math.ceil(Math.log2(count + 1)))}`);
      }
    }
  }
  return covered.size > before;
}

function seeds(): Buffer[] {
  const files = ['pprof', 'vectors', 'golden'].flatMap((folder) =>
    readdirSync(path.join(fixtures, folder)).map((name) => readFileSync(path.join(fixtures, folder, name))),
  );
  const protos = Array.from({ length: 10 }, (_, at) => randomProto(seededRandom(at)));
  const profile = parseProfile(protos[3]!);
  return [
    ...files.filter(({ length }) => length < 20_000),
    ...protos,
    gzipSync(protos[0]!),
    Buffer.from('heap_v2/524288\n  t*: 1: 8 [2: 16]\n@ 0x11 0x21\n  t*: 1: 8 [2: 16]\n'),
    Buffer.from(formatFolded(profile, profile.sampleTypes[0]!.type) || 'a;b 3\n'),
    Buffer.from(
      '{"head":{"callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"selfSize":0,"id":1,"children":[{"callFrame":{"functionName":"a","scriptId":"1","url":"x.js","lineNumber":1,"columnNumber":2},"selfSize":7,"id":2,"children":[]}]},"samples":[]}',
    ),
  ];
}

const WORDS = [
  '0x',
  '@',
  ':',
  '[',
  ']',
  '--- Memory map: ---\n',
  '$build',
  'build=/x\n',
  '--- symbol\n',
  '---\n',
  '99999999999999999999',
  '-1',
  '\0',
  '\n',
  '\r\n',
  '#\t0x10\tf+0x0\tx:1\n',
  '0x40000-0x80000: /a (@10) ab\n',
];

function mutate(bytes: Buffer, corpus: readonly Buffer[]): Buffer {
  let result = Buffer.from(bytes);
  for (let i = 1 + below(4); i > 0; i--) {
    const at = below(result.length + 1);
    const rest = result.subarray(at);
    switch (below(7)) {
      case 0:
        if (at < result.length) result[at]! ^= 1 << below(8);
        break;
      case 1:
        if (at < result.length) result[at] = pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x30]);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), rest.subarray(below(40))]);
        break;
      case 3: {
        const part = result.subarray(at, at + below(100));
        result = Buffer.concat([result.subarray(0, at), ...Array(1 + below(20)).fill(part), rest]);
        break;
      }
      case 4: {
        const other = pick(corpus);
        const start = below(other.length + 1);
        result = Buffer.concat([result.subarray(0, at), other.subarray(start, start + below(300)), rest]);
        break;
      }
      case 5:
        result = Buffer.concat([result.subarray(0, at), Buffer.from(pick(WORDS)), rest]);
        break;
      case 6:
        result = result.subarray(0, at);
        break;
    }
  }
  return result.subarray(0, 100_000);
}

/** All that the command does with a profile. */
function use(bytes: Buffer): void {
  const profile = parseProfile(bytes, { scaling: pick(['go', 'go', 'perl', 'none']) });
  if (profile.sampleTypes.length === 0) return;
  const prepared = prepare([profile, profile], [profile], { plainNames: true, isDifference: true });
  const view = viewOf(prepared, '', { hide: /main/, show: /a/ });
  for (const granularity of ['functions', 'addresses', 'places'] as const) {
    const options = { sampleIndex: '', granularity, filters: {}, sortByCum: false, nodeCount: 10 };
    formatTop(makeReport(prepared, { ...options, nodeFraction: 0.01, edgeFraction: 0.01 }), {
      bold: (text) => text,
      weight: (text) => text,
    });
  }
  for (const _ of formatRaw(view.profile));
  for (const _ of formatTraces(view, 'lines'));
  formatTags(view);
  parseProfile(encodeProto(profile));
}

post('Profiler.enable');
post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const corpus = seeds();
const report: FuzzReport = { runs: 0, errors: 0, bad: [], slowestMs: 0, maxRssMiB: 0, kept: 0, covered: 0 };
const given = corpus.length;
for (let i = 0; i < given + count; i++) {
  // The seeds themselves come first; later ones are better.
  const from = corpus[Math.max(below(corpus.length), below(corpus.length))]!;
  const bytes = i < given ? corpus[i]! : mutate(from, corpus);
  const start = process.cpuUsage();
  try {
    use(bytes);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    report.errors++;
    if (code !== 'ERR_MEMPROF_PROFILE' || !/^[^\n]{10,250}$/.test(message)) {
      report.bad.push(`${i}: ${code} ${(error as Error).stack} ${bytes.toString('base64').slice(0, 3000)}`);
    }
  }
  const { user, system } = process.cpuUsage(start);
  report.slowestMs = Math.max(report.slowestMs, (user + system) / 1000);
  report.runs++;
  if (reachedMore() && i >= given) {
    corpus.push(bytes);
    report.kept++;
  }
}
report.covered = covered.size;
report.maxRssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(JSON.stringify(report));

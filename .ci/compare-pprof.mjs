// npm run compare:pprof -- [options] DIR|FILE…
//
// Compares the reports of memprof with those of `go tool pprof`, byte by byte, over all profiles in directories: each
// kind of report, of each type of figures, by each granularity, with filters, and after `memprof convert`. Prints `ok`,
// `differs` or `refused` (by one of them) for each, and what differs first. Ends with 1 if anything differs.
//
// Go does not read names in the comments of texts: there it gets what `memprof convert` makes of the text.
//
//   --reports top,tree,peek,traces,tags,raw,filters,convert    only these
//   --quick            one granularity and one type of figures
//   --base FILE        with this base; --diff-base FILE
//   --jobs N           at a time (2)
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const main = path.join(root, 'dist', 'cli', 'main.js');
const REPORTS = ['top', 'tree', 'peek', 'traces', 'tags', 'raw', 'filters', 'convert'];
const GRANULARITIES = ['functions', 'filefunctions', 'files', 'lines', 'addresses'];
const FILTERS = [
  ['-focus=a'],
  ['-ignore=a'],
  ['-hide=a'],
  ['-show=e'],
  ['-hide=lib', '-focus=e'],
  ['-tagfocus=:4kb'],
  ['-tagignore=bytes=1kb:'],
  ['-tagfocus=a'],
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    reports: { type: 'string', default: REPORTS.join() },
    quick: { type: 'boolean', default: false },
    base: { type: 'string' },
    'diff-base': { type: 'string' },
    jobs: { type: 'string', default: '2' },
  },
});
if (positionals.length === 0) {
  console.error('usage: npm run compare:pprof -- [--quick] [--reports top,tree] DIR|FILE...');
  process.exit(2);
}
const wanted = options.reports.split(',');
const scratch = mkdtempSync(path.join(os.tmpdir(), 'memprof-compare-'));
const env = { ...process.env, TZ: 'UTC', HOME: scratch, PPROF_TMPDIR: scratch, NO_COLOR: '1' };
const base = [
  ...(options.base ? [`-base=${options.base}`] : []),
  ...(options['diff-base'] ? [`-diff_base=${options['diff-base']}`] : []),
];

function filesIn(place) {
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(place, name))
    .filter((name) => statSync(name).isFile())
    .sort();
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err] = [[], []];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.on('close', (code) =>
      resolve({
        code,
        out: Buffer.concat(out).toString('latin1'),
        err: Buffer.concat(err).toString().split('\n')[0],
      }),
    );
  });
}

const go = (kind, flags, file) => run('go', ['tool', 'pprof', `-${kind}`, ...flags, ...base, file]);
const memprof = (kind, flags, file) => {
  const [name, regex] = kind.split('=');
  const rest = regex === undefined ? [] : [regex];
  return run(process.execPath, [main, name, ...flags, ...base, file, ...rest]);
};

function firstDifference(ours, theirs) {
  const [a, b] = [ours.split('\n'), theirs.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  const index = at === -1 ? a.length : at;
  const show = (line) => (line === undefined ? '(the end)' : JSON.stringify(line.slice(0, 160)));
  return `line ${index + 1}\n      memprof ${show(a[index])}\n      go      ${show(b[index])}`;
}

/** Resolves to the rest of a line of the output. */
async function compare(kind, flags, file, goFile) {
  const [ours, theirs] = await Promise.all([memprof(kind, flags, file), go(kind, flags, goFile)]);
  if (ours.code !== 0 && theirs.code !== 0) return { result: 'refused', detail: `by both: ${ours.err}` };
  if (ours.code !== 0) return { result: 'refused', detail: ours.err };
  if (theirs.code !== 0) return { result: 'refused', detail: `only by Go: ${theirs.err}` };
  if (ours.out === theirs.out) return { result: 'ok' };
  return { result: 'differs', detail: firstDifference(ours.out, theirs.out) };
}

/** The file for Go. */
async function readableByGo(file) {
  const text = readFileSync(file)
    .subarray(0, 1 << 20)
    .toString('latin1');
  if (!text.startsWith('heap profile:') || !/^#\t0x[0-9a-f]+\t+[^\t\n]/m.test(text)) return file;
  const copy = path.join(scratch, `${number++}.pb.gz`);
  await run(process.execPath, [main, 'convert', file, '-o', copy]);
  return copy;
}

let number = 0;
async function compareConverted(file) {
  const copy = path.join(scratch, `${number++}.pb.gz`);
  const converted = await run(process.execPath, [main, 'convert', file, '-o', copy]);
  const before = await go('raw', [], file);
  if (converted.code !== 0) {
    const detail = converted.err;
    return { result: 'refused', detail: before.code === 0 ? detail : `by both: ${detail}` };
  }
  const after = await go('raw', [], copy);
  rmSync(copy);
  if (before.code !== 0) return { result: 'refused', detail: `only by Go: ${before.err}` };
  if (before.out === after.out) return { result: 'ok' };
  return { result: 'differs', detail: firstDifference(after.out, before.out) };
}

async function* comparisons(file) {
  const goFile = await readableByGo(file);
  const raw = await go('raw', [], goFile);
  const types = /^Samples:\n(.*)$/m.exec(raw.out)?.[1].trim().split(' ').filter(Boolean) ?? [''];
  const indexes = options.quick ? [''] : types.map((_, index) => `-sample_index=${index}`);
  const granularities = options.quick ? ['functions'] : GRANULARITIES;
  for (const report of wanted) {
    if (report === 'convert' && goFile !== file) continue;
    if (report === 'convert') yield ['convert', [], () => compareConverted(file)];
    else if (report === 'raw') yield ['raw', [], () => compare('raw', [], file, goFile)];
    else if (report === 'filters') {
      for (const filter of options.quick ? FILTERS.slice(0, 3) : FILTERS) {
        const flags = ['-functions', ...filter];
        for (const kind of ['top', 'traces']) yield [kind, flags, () => compare(kind, flags, file, goFile)];
      }
    } else {
      for (const index of indexes) {
        for (const granularity of report === 'tags' ? [''] : granularities) {
          const flags = [index, granularity && `-${granularity}`].filter(Boolean);
          const kind = report === 'peek' ? 'peek=.' : report;
          yield [kind, flags, () => compare(kind, flags, file, goFile)];
          if (report === 'top')
            yield [kind, [...flags, '-cum'], () => compare(kind, [...flags, '-cum'], file, goFile)];
        }
      }
    }
  }
}

const totals = { ok: 0, differs: 0, refused: 0 };
const files = positionals.flatMap(filesIn);
let different = 0;
for (const file of files) {
  const counts = { ok: 0, differs: 0, refused: 0 };
  const details = [];
  const all = [];
  for await (const each of comparisons(file)) all.push(each);
  await Promise.all(
    Array.from({ length: Number(options.jobs) }, async () => {
      for (let next = all.shift(); next !== undefined; next = all.shift()) {
        const [kind, flags, start] = next;
        const { result, detail } = await start();
        counts[result]++;
        totals[result]++;
        if (detail !== undefined) details.push(`  ${result} -${[kind, ...flags].join(' ')}: ${detail}`);
      }
    }),
  );
  if (counts.differs > 0) different++;
  const word = counts.differs > 0 ? 'differs' : counts.ok > 0 ? 'ok     ' : 'refused';
  console.log(`${word} ${file}: ${counts.ok} ok, ${counts.differs} differ, ${counts.refused} refused`);
  const shown = counts.differs > 0 ? details.filter((each) => each.startsWith('  differs')) : details;
  for (const detail of shown.slice(0, counts.differs > 0 ? 5 : 1)) console.log(detail);
}
rmSync(scratch, { recursive: true, force: true });
console.log(
  `${files.length} profiles, ${different} differ; ${totals.ok} reports ok, ${totals.differs} differ, ${totals.refused} refused`,
);
process.exitCode = totals.differs === 0 ? 0 : 1;

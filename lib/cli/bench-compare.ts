import { readFile } from 'node:fs/promises';
import {
  type BenchResults,
  compareBenches,
  formatBenchMarkdown,
  formatBenchText,
} from '../analysis/bench-compare.js';
import { printable } from '../base/text.js';
import type { Command } from './command.js';
import { UsageError } from './options.js';
import { Failure, reasonOf } from './profile-file.js';

const details = `BEFORE and AFTER are files of JSON with the results of measure() by name, of two commits:
JSON.stringify({ parse: measure(() => parse(line)) }). A figure counts as more if it rose by more than --tolerance, by at
least 8 bytes or one allocation, and by more than its own batches differ. The exit code is then 1.`;

const isFigure = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0;

function isResults(value: unknown): value is BenchResults {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(
    (each) => isFigure((each as BenchResults[string] | null)?.bytesPerOp) && isFigure(each.allocsPerOp),
  );
}

async function load(file: string): Promise<BenchResults> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'no JSON' : reasonOf(error);
    throw new Failure(`${printable(file)}: ${reason}`);
  }
  if (isResults(value) && Object.keys(value).length > 0) return value;
  throw new Failure(`${printable(file)}: no results of measure() by name`);
}

export const benchCompare: Command = {
  name: 'bench-compare',
  summary: 'compare what functions allocate in two commits, and fail if it is more',
  usage: 'bench-compare [options] BEFORE.json AFTER.json',
  details,
  operands: 'file',
  async run({ values, operands }) {
    const [before, after, ...rest] = operands;
    if (before === undefined || after === undefined || rest.length > 0) {
      throw new UsageError('expected two files of results', 'bench-compare');
    }
    const rows = compareBenches(await load(before), await load(after), Number(values.tolerance));
    const format = { text: formatBenchText, md: formatBenchMarkdown, json: JSON.stringify }[
      values.format as 'text' | 'md' | 'json'
    ];
    const output = format(rows);
    process.stdout.write(output.endsWith('\n') ? output : `${output}\n`);
    const more = rows.filter(({ verdict }) => verdict === 'more');
    if (more.length === 0) return 0;
    process.stderr.write(
      `memprof: more is allocated by ${more.map(({ name }) => printable(name)).join('; ')}\n`,
    );
    return 1;
  },
};

import { cutDroppedFrames, type Filters } from '../analysis/filters.js';
import { foldInternals } from '../analysis/internals.js';
import {
  findSampleIndex,
  formatTop,
  formatTree,
  makeReport,
  prepare,
  type Report,
  type ReportOptions,
} from '../analysis/report.js';
import { samplingErrors } from '../analysis/sampling-error.js';
import { styleFor } from '../analysis/style.js';
import type { Granularity } from '../base/choices.js';
import type { CommandName } from '../base/command-options.js';
import { printable } from '../base/text.js';
import type { ProfileData } from '../profile/model.js';
import type { Command } from './command.js';
import { type Arguments, parseRegExp, UsageError } from './options.js';
import { Failure, loadProfile, writeOutput } from './profile-file.js';

const formats = 'FILE is a profile as text or protobuf, gzipped or not; - reads standard input.';

const tableDetails = `${formats}
Figures are added up by function and place, and ± is the standard error that sampling leaves. With --functions, --lines
and so on the table is the one of "go tool pprof". flat is what a function allocated itself, cum includes its callees.
REGEX is matched against the names of functions and files.`;

export function checkSampleIndex(profile: ProfileData, name: string, command: string): number {
  try {
    return findSampleIndex(profile, name);
  } catch (error) {
    throw new UsageError((error as Error).message, command);
  }
}

function filtersOf(args: Arguments, command: string): Filters {
  const filters: Filters = {};
  for (const name of ['focus', 'ignore', 'hide'] as const) {
    const source = args.values[name] as string | undefined;
    if (source !== undefined && source !== '') filters[name] = parseRegExp(source, `--${name}`, command);
  }
  return filters;
}

export async function loadWithBase(
  args: Arguments,
  file: string,
  command: string,
): Promise<[profile: ProfileData, base: ProfileData | undefined]> {
  const base = args.values.base as string | undefined;
  if (base === '-' && file === '-') {
    throw new UsageError('standard input cannot be both the profile and its base', command);
  }
  return [await loadProfile(file), base === undefined ? undefined : await loadProfile(base)];
}

export function expectOperands(args: Arguments, names: readonly string[], command: string): string[] {
  const { operands } = args;
  const missing = names[operands.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`, command);
  const extra = operands[names.length];
  if (extra !== undefined) throw new UsageError(`unexpected argument '${printable(extra)}'`, command);
  return [...operands];
}

interface Values {
  sampleIndex: string;
  granularity: Granularity;
  cum: boolean;
  nodeCount: number;
  nodeFraction: number;
  showInternals: boolean;
}

// As in `go tool pprof`.
const EDGE_FRACTION = 0.001;

/** With `whole`, the report leaves out no small nodes or edges. */
async function report(args: Arguments, command: CommandName, file: string, whole = false): Promise<Report> {
  const values = args.values as unknown as Values;
  const options: ReportOptions = {
    sampleIndex: values.sampleIndex,
    granularity: values.granularity,
    filters: filtersOf(args, command),
    sortByCum: values.cum,
    nodeCount: whole ? 0 : values.nodeCount,
    nodeFraction: whole ? 0 : values.nodeFraction,
    edgeFraction: whole ? 0 : EDGE_FRACTION,
  };
  const [profile, base] = await loadWithBase(args, file, command);
  const index = checkSampleIndex(profile, options.sampleIndex, command);
  const fold =
    options.granularity === 'places' && !values.showInternals ? foldInternals : (each: ProfileData) => each;
  const prepared = fold(prepare(profile, base));
  const errors =
    options.granularity === 'places'
      ? samplingErrors(
          [profile, ...(base === undefined ? [] : [base])].map((each) => fold(cutDroppedFrames(each))),
          index,
          options,
        )
      : undefined;
  const made = makeReport(prepared, options, errors);
  for (const warning of made.warnings) process.stderr.write(`memprof: ${warning}\n`);
  return made;
}

export const top: Command = {
  name: 'top',
  summary: 'list the functions that allocate most, or have most in use',
  usage: 'top [options] FILE',
  details: tableDetails,
  operands: 'file',
  async run(args) {
    const [file] = expectOperands(args, ['FILE'], 'top');
    const made = await report(args, 'top', file!);
    await writeOutput('-', [formatTop(made, styleFor(process.stdout))]);
    return 0;
  },
};

export const tree: Command = {
  name: 'tree',
  summary: 'the same list, with the callers and callees of each function',
  usage: 'tree [options] FILE',
  details: tableDetails,
  operands: 'file',
  async run(args) {
    const [file] = expectOperands(args, ['FILE'], 'tree');
    const made = await report(args, 'tree', file!);
    await writeOutput('-', [formatTree(made, styleFor(process.stdout)).text]);
    return 0;
  },
};

export const peek: Command = {
  name: 'peek',
  summary: 'show the callers and callees of functions that match',
  usage: 'peek [options] FILE REGEX',
  details: tableDetails,
  operands: 'file',
  async run(args) {
    const [file, source] = expectOperands(args, ['FILE', 'REGEX'], 'peek');
    const only = parseRegExp(source!, 'REGEX', 'peek');
    const made = await report(args, 'peek', file!, true);
    const { text: table, shown } = formatTree(made, styleFor(process.stdout), only);
    if (shown === 0) throw new Failure(`no function matches ${printable(source!)}`);
    await writeOutput('-', [table]);
    return 0;
  },
};

import type { Filters } from '../analysis/filters.js';
import { foldMerged } from '../analysis/internals.js';
import {
  findSampleIndex,
  formatTop,
  formatTree,
  makeReport,
  prepare,
  type Report,
  type ReportOptions,
} from '../analysis/report.js';
import { formatTopJson, formatTopMarkdown } from '../analysis/report-formats.js';
import { samplingErrors } from '../analysis/sampling-error.js';
import { styleFor } from '../analysis/style.js';
import { parseTagFilter } from '../analysis/tag-filter.js';
import type { Granularity } from '../base/choices.js';
import type { CommandName } from '../base/command-options.js';
import { printable } from '../base/text.js';
import type { MergedProfile } from '../profile/merged.js';
import type { ProfileData } from '../profile/model.js';
import type { Command } from './command.js';
import { type Arguments, parseRegExp, UsageError } from './options.js';
import { Failure, writeOutput } from './profile-file.js';
import { checkStandardInput, comparing, loadSources, loadSum, SOURCES } from './sources.js';

const tableDetails = `${SOURCES}
Figures are added up by function and place, and ± is the standard error that sampling leaves. With --functions, --lines
and so on the table is the one of "go tool pprof". flat is what a function allocated itself, cum includes its callees.
REGEX is matched against the names of functions and files.`;

export function checkSampleIndex(
  profile: Omit<ProfileData, 'samples' | 'mappings'>,
  name: string,
  command: string,
): number {
  try {
    return findSampleIndex(profile, name);
  } catch (error) {
    throw new UsageError((error as Error).message, command);
  }
}

export function filtersOf(args: Arguments, command: string): Filters {
  const filters: Filters = {};
  for (const name of ['focus', 'ignore', 'hide', 'show'] as const) {
    const source = args.values[name] as string | undefined;
    if (source) filters[name] = parseRegExp(source, `--${name}`, command);
  }
  for (const name of ['tagfocus', 'tagignore'] as const) {
    const source = args.values[name] as string | undefined;
    if (source) filters[name] = parseTagFilter(source, (text) => parseRegExp(text, `--${name}`, command));
  }
  return filters;
}

/** The sum of the files, and that of the base, where there is one. */
export async function loadWithBase(
  args: Arguments,
  files: readonly string[],
  command: string,
): Promise<[profile: ProfileData, base: ProfileData | undefined]> {
  const base = (args.values.base ?? []) as readonly string[];
  checkStandardInput([...files, ...base], command);
  return [await loadSum(files), base.length === 0 ? undefined : await loadSum(base)];
}

export interface Loaded {
  /** What reports are made of: the files added up, less their base. */
  prepared: MergedProfile;
  /** Each alone, prepared in the same way, for what cannot be subtracted. Made when it is called. */
  alone(): MergedProfile[];
}

/** With `byPlace`, for reports of memprof's own. */
export async function loadPrepared(
  args: Arguments,
  files: readonly string[],
  command: string,
  byPlace = false,
): Promise<Loaded> {
  const given = (name: string) => (args.values[name] ?? []) as readonly string[];
  const [base, diffBase] = [given('base'), given('diffBase')];
  if (base.length > 0 && diffBase.length > 0) {
    throw new UsageError('give either --base or --diff-base', command);
  }
  const against = [...base, ...diffBase];
  checkStandardInput([...files, ...against], command);
  const fold = byPlace && args.values.showInternals !== true ? foldMerged : (each: MergedProfile) => each;
  const options = { isDifference: diffBase.length > 0, plainNames: !byPlace };
  let profiles: ProfileData[] = await loadSources(files);
  const bases = against.length === 0 ? [] : await loadSources(against);
  const prepared = comparing(() => fold(prepare(profiles, bases, options)));
  const isOne = profiles.length + bases.length === 1;
  // One that is in tables now need not stay in memory.
  profiles = isOne ? [] : [...profiles, ...bases];
  return {
    prepared,
    alone: () => (isOne ? [prepared] : profiles.map((each) => fold(prepare(each, [], options)))),
  };
}

/** At least one file. */
export function expectFiles(args: Arguments, command: string): readonly string[] {
  if (args.operands.length === 0) throw new UsageError('FILE is missing', command);
  return args.operands;
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

/** With `only`, the report is about nodes with such names, and leaves out no small nodes or edges. */
async function report(
  args: Arguments,
  command: CommandName,
  files: readonly string[],
  only?: RegExp,
): Promise<Report> {
  const whole = only !== undefined;
  const values = args.values as unknown as Values;
  const options: ReportOptions = {
    sampleIndex: values.sampleIndex,
    granularity: values.granularity,
    filters: filtersOf(args, command),
    sortByCum: values.cum,
    nodeCount: whole ? 0 : values.nodeCount,
    nodeFraction: whole ? 0 : values.nodeFraction,
    edgeFraction: whole ? 0 : EDGE_FRACTION,
    ...(only !== undefined && { edgesOf: only }),
  };
  const byPlace = options.granularity === 'places';
  const { prepared, alone } = await loadPrepared(args, files, command, byPlace);
  const index = checkSampleIndex(prepared.head, options.sampleIndex, command);
  const errors = byPlace ? samplingErrors(alone(), index, options) : undefined;
  const made = makeReport(prepared, options, errors);
  for (const warning of made.warnings) process.stderr.write(`memprof: ${warning}\n`);
  return made;
}

export const top: Command = {
  name: 'top',
  summary: 'list the functions that allocate most, or have most in use',
  usage: 'top [options] FILE...',
  details: tableDetails,
  operands: 'file',
  async run(args) {
    const made = await report(args, 'top', expectFiles(args, 'top'));
    await writeOutput('-', [formatReport(made, args)]);
    return 0;
  },
};

export const diff: Command = {
  name: 'diff',
  summary: 'list the functions that differ most between two profiles',
  usage: 'diff [options] BEFORE AFTER',
  details: `${SOURCES.replace(' Several are added up.', '')}
Shows AFTER less BEFORE, functions that changed most first; ± is the standard error of the difference. The same as
memprof top --diff-base BEFORE AFTER. memprof flame and memprof open take --base BEFORE.`,
  operands: 'file',
  async run(args) {
    const [before, after] = expectOperands(args, ['BEFORE', 'AFTER'], 'diff');
    const given = { ...args, values: { ...args.values, diffBase: [before!] } };
    const made = await report(given, 'diff', [after!]);
    await writeOutput('-', [formatReport(made, args)]);
    return 0;
  },
};

function formatReport(made: Report, { values }: Arguments): string {
  if (values.format === 'md') return formatTopMarkdown(made);
  return values.format === 'json' ? formatTopJson(made) : formatTop(made, styleFor(process.stdout));
}

export const tree: Command = {
  name: 'tree',
  summary: 'the same list, with the callers and callees of each function',
  usage: 'tree [options] FILE...',
  details: tableDetails,
  operands: 'file',
  async run(args) {
    const made = await report(args, 'tree', expectFiles(args, 'tree'));
    await writeOutput('-', [formatTree(made, styleFor(process.stdout)).text]);
    return 0;
  },
};

export const peek: Command = {
  name: 'peek',
  summary: 'show the callers and callees of functions that match',
  usage: 'peek [options] FILE... REGEX',
  details: tableDetails,
  operands: 'file',
  async run(args) {
    const { operands } = args;
    if (operands.length < 2) throw new UsageError(`${operands.length ? 'REGEX' : 'FILE'} is missing`, 'peek');
    const source = operands.at(-1)!;
    const only = parseRegExp(source, 'REGEX', 'peek');
    const made = await report(args, 'peek', operands.slice(0, -1), only);
    const { text: table, shown } = formatTree(made, styleFor(process.stdout), only);
    if (shown === 0) throw new Failure(`no function matches ${printable(source)}`);
    await writeOutput('-', [table]);
    return 0;
  },
};

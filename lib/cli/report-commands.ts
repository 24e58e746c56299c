import type { Filters } from '../analysis/filters.js';
import { type Granularity, granularities } from '../analysis/graph.js';
import {
  findSampleIndex,
  formatTop,
  formatTree,
  makeReport,
  prepare,
  type Report,
  type ReportOptions,
} from '../analysis/report.js';
import { styleFor } from '../analysis/style.js';
import { printable } from '../base/text.js';
import type { ParsedProfile } from '../profile/model.js';
import type { Command } from './command.js';
import {
  type Arguments,
  helpOption,
  type Options,
  parseChoice,
  parseNumber,
  parseRegExp,
  UsageError,
} from './options.js';
import { Failure, loadProfile, writeOutput } from './profile-file.js';

const sampleTypes = ['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space'] as const;

export const sampleIndexOption: Options = {
  sample_index: {
    value: 'TYPE',
    help: `figures to show, by name or number: ${sampleTypes.join(', ')}; --alloc_space and so on for short`,
    complete: sampleTypes,
  },
  ...Object.fromEntries(sampleTypes.map((type) => [type, { help: '' }])),
};

export const baseOption: Options = {
  base: { value: 'FILE', help: 'subtract this profile', complete: 'file' },
};

const filterOptions: Options = {
  focus: { value: 'REGEX', help: 'only stacks with a frame that matches' },
  ignore: { value: 'REGEX', help: 'no stacks with a frame that matches' },
  hide: { value: 'REGEX', help: 'leave out frames that match' },
};

const tableOptions: Options = {
  ...sampleIndexOption,
  cum: { help: 'sort by cumulative figures' },
  ...filterOptions,
  ...baseOption,
  nodefraction: { value: 'F', help: 'hide what is below this share of the total (default 0.005)' },
  granularity: {
    value: 'WHAT',
    help: `what to add up by: ${granularities.join(', ')} (default functions); --lines and so on for short`,
    complete: granularities,
  },
  ...Object.fromEntries(granularities.map((each) => [each, { help: '' }])),
  ...helpOption,
};

const formats = 'FILE is a profile in text or proto form, gzipped or not; - reads standard input.';

const tableDetails = `${formats}
The table is that of "go tool pprof": flat is what a function allocated itself, cum what it and its callees did.
REGEX is matched against names of functions and files.`;

function text(args: Arguments, name: string): string | undefined {
  const value = args.values[name];
  return typeof value === 'string' ? value : undefined;
}

/** What was given by `--name VALUE`, or by `--VALUE` for short. */
export function oneOf<T extends string>(
  args: Arguments,
  name: string,
  choices: readonly T[],
): string | undefined {
  return text(args, name) ?? choices.find((choice) => args.values[choice] === true);
}

/** The column asked for; '' if none is. */
export function sampleIndexOf(args: Arguments): string {
  return oneOf(args, 'sample_index', sampleTypes) ?? '';
}

export function checkSampleIndex(profile: ParsedProfile, name: string, command: string): number {
  try {
    return findSampleIndex(profile, name);
  } catch (error) {
    throw new UsageError((error as Error).message, command);
  }
}

function filtersOf(args: Arguments, command: string): Filters {
  const filters: Filters = {};
  for (const name of ['focus', 'ignore', 'hide'] as const) {
    const source = text(args, name);
    if (source !== undefined && source !== '') filters[name] = parseRegExp(source, `--${name}`, command);
  }
  return filters;
}

export async function loadWithBase(
  args: Arguments,
  file: string,
  command: string,
): Promise<[profile: ParsedProfile, base: ParsedProfile | undefined]> {
  const base = text(args, 'base');
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

async function report(
  args: Arguments,
  command: string,
  file: string,
  trim: { nodeCount: number; edgeFraction: number; nodeFraction: number },
): Promise<Report> {
  const fraction = text(args, 'nodefraction');
  const count = text(args, 'nodecount');
  const options: ReportOptions = {
    sampleIndex: sampleIndexOf(args),
    granularity: parseChoice<Granularity>(
      oneOf(args, 'granularity', granularities) ?? 'functions',
      'granularity',
      granularities,
      command,
    ),
    filters: filtersOf(args, command),
    sortByCum: args.values.cum === true,
    nodeCount:
      count === undefined
        ? trim.nodeCount
        : parseNumber(count, 'nodecount', 0, Number.MAX_SAFE_INTEGER, true, command),
    nodeFraction:
      fraction === undefined
        ? trim.nodeFraction
        : parseNumber(fraction, 'nodefraction', 0, 1, false, command),
    edgeFraction: trim.edgeFraction,
  };
  const [profile, base] = await loadWithBase(args, file, command);
  checkSampleIndex(profile, options.sampleIndex, command);
  const made = makeReport(prepare(profile, base), options);
  for (const warning of made.warnings) process.stderr.write(`memprof: ${warning}\n`);
  return made;
}

// As in `go tool pprof`.
const trimmed = { nodeFraction: 0.005, edgeFraction: 0.001 };

const countOption = (initial: string): Options => ({
  nodecount: { value: 'N', short: 'n', help: `show the N largest (default ${initial})` },
});

export const top: Command = {
  name: 'top',
  summary: 'table of the functions that allocate most, or keep most in use',
  usage: 'top [options] FILE',
  details: tableDetails,
  options: { ...countOption('all'), ...tableOptions },
  operands: 'file',
  async run(args) {
    const [file] = expectOperands(args, ['FILE'], 'top');
    const made = await report(args, 'top', file!, { nodeCount: 0, ...trimmed });
    await writeOutput('-', [formatTop(made, styleFor(process.stdout))]);
    return 0;
  },
};

export const tree: Command = {
  name: 'tree',
  summary: 'the same, each function with its callers and callees',
  usage: 'tree [options] FILE',
  details: tableDetails,
  options: { ...countOption('80'), ...tableOptions },
  operands: 'file',
  async run(args) {
    const [file] = expectOperands(args, ['FILE'], 'tree');
    const made = await report(args, 'tree', file!, { nodeCount: 80, ...trimmed });
    await writeOutput('-', [formatTree(made, styleFor(process.stdout)).text]);
    return 0;
  },
};

export const peek: Command = {
  name: 'peek',
  summary: 'callers and callees of the functions that match',
  usage: 'peek [options] FILE REGEX',
  details: tableDetails,
  options: Object.fromEntries(Object.entries(tableOptions).filter(([name]) => name !== 'nodefraction')),
  operands: 'file',
  async run(args) {
    const [file, source] = expectOperands(args, ['FILE', 'REGEX'], 'peek');
    const only = parseRegExp(source!, 'REGEX', 'peek');
    const made = await report(args, 'peek', file!, { nodeCount: 0, nodeFraction: 0, edgeFraction: 0 });
    const { text: table, shown } = formatTree(made, styleFor(process.stdout), only);
    if (shown === 0) throw new Failure(`no function matches ${printable(source!)}`);
    await writeOutput('-', [table]);
    return 0;
  },
};

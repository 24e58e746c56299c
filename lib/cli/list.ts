import { readFileSync } from 'node:fs';
import path from 'node:path';
import { foldMerged } from '../analysis/internals.js';
import { prepare } from '../analysis/report.js';
import { styleFor } from '../analysis/style.js';
import { formatCompact } from '../analysis/units.js';
import { printable } from '../base/text.js';
import { type MergedProfile, toProfileData } from '../profile/merged.js';
import type { Command } from './command.js';
import { parseRegExp, UsageError } from './options.js';
import { Failure, writeOutput } from './profile-file.js';
import { checkSampleIndex } from './report-commands.js';
import { checkStandardInput, comparing, loadSources, SOURCES } from './sources.js';

/** Lines shown before a function, and at most after its last line with a figure. */
const BEFORE = 1;
const AFTER = 25;

interface Sums {
  flat: number;
  cum: number;
}

interface Routine extends Sums {
  name: string;
  /** The line where it starts; 0 if unknown. */
  start: number;
  file: string;
  lines: Map<number, Sums>;
}

function collect(
  profile: MergedProfile,
  index: number,
  only: RegExp,
): { routines: Routine[]; total: number } {
  const routines = new Map<string, Routine>();
  let total = 0;
  for (const { values, stack } of toProfileData(profile).samples) {
    const value = values[index]!;
    if (value === 0) continue;
    total += value;
    const seen = new Set<object>();
    for (const [at, { functionName: name, fileName: file, lineNumber: line, startLine }] of stack.entries()) {
      if (!only.test(name) && !only.test(`${file}:${line}`)) continue;
      const key = `${name}\0${file}\0${startLine ?? 0}`;
      const routine = routines.get(key) ?? {
        ...{ name, file, start: startLine ?? 0, flat: 0, cum: 0 },
        lines: new Map<number, Sums>(),
      };
      routines.set(key, routine);
      const sums = routine.lines.get(line) ?? { flat: 0, cum: 0 };
      routine.lines.set(line, sums);
      for (const each of [routine, sums]) {
        if (at === 0) each.flat += value;
        if (!seen.has(each)) each.cum += value;
        seen.add(each);
      }
    }
  }
  return { routines: [...routines.values()].sort((a, b) => b.cum - a.cum), total };
}

/** The lines of a source file; undefined if it is not here. */
function readSource(file: string): string[] | undefined {
  try {
    return path.isAbsolute(file) ? readFileSync(file, 'utf8').split(/\r?\n/) : undefined;
  } catch {
    return undefined;
  }
}

/** The line at which the block ends that begins at `first`, as far as its indentation tells. */
function endOfBlock(source: readonly string[], first: number, last: number): number {
  const indentation = /^\s*/.exec(source[first - 1] ?? '')![0].length;
  for (let line = last + 1; line <= Math.min(source.length, last + AFTER); line++) {
    const text = source[line - 1]!;
    if (text.trim() !== '' && /^\s*/.exec(text)![0].length <= indentation) {
      return /^\s*[)\]}]/.test(text) ? line : line - 1;
    }
  }
  return Math.min(source.length, last + AFTER);
}

function formatRoutine(
  { name, file, start, flat, cum, lines }: Routine,
  total: number,
  unit: string,
): string[] {
  const figure = (value: number) => (value === 0 ? '.' : formatCompact(value, unit)).padStart(10);
  const share = total === 0 ? 0 : (100 * cum) / total;
  const out = [`ROUTINE ======================== ${printable(name)} in ${printable(file || '?')}`];
  out.push(`${figure(flat)} ${figure(cum)} (flat, cum) ${share.toFixed(1)}% of total`);
  const numbers = [...lines.keys()].sort((a, b) => a - b);
  const source = readSource(file);
  const [lowest, last] = [numbers[0]!, numbers.at(-1)!];
  const first = start > 0 ? Math.min(start, lowest) : lowest;
  const row = (line: number, text: string) => {
    const sums = lines.get(line);
    out.push(
      `${figure(sums?.flat ?? 0)} ${figure(sums?.cum ?? 0)} ${String(line).padStart(6)}: ${printable(text)}`,
    );
  };
  if (source === undefined || first < 1) {
    for (const line of numbers) row(line, file === '' ? '' : '(the source is not on this machine)');
    return out;
  }
  const end = endOfBlock(source, first, last);
  for (let line = Math.max(1, first - BEFORE); line <= end; line++) row(line, source[line - 1] ?? '');
  return out;
}

export const list: Command = {
  name: 'list',
  summary: 'show the source of functions that match, with figures beside the lines',
  usage: 'list [options] FILE... REGEX',
  details: `${SOURCES}
Prints what "go tool pprof -list" prints. Profiles of V8's heap know the line where a function starts, and with --call-sites
the lines of calls, as profiles of Buffers do: the figures stand there. REGEX is matched against names of functions, and against file:line.`,
  operands: 'file',
  async run(args) {
    const { operands, values } = args;
    if (operands.length < 2) throw new UsageError(`${operands.length ? 'REGEX' : 'FILE'} is missing`, 'list');
    const regExp = operands.at(-1)!;
    const only = parseRegExp(regExp, 'REGEX', 'list');
    const files = operands.slice(0, -1);
    checkStandardInput(files, 'list');
    const profiles = await loadSources(files);
    const merged = comparing(() => prepare(profiles, [], { isDifference: false, plainNames: false }));
    const shown = values.showInternals === true ? merged : foldMerged(merged);
    const index = checkSampleIndex(shown.head, values.sampleIndex as string, 'list');
    const { type, unit } = shown.sampleTypes[index]!;
    const { routines, total } = collect(shown, index, only);
    if (routines.length === 0) throw new Failure(`no function matches ${printable(regExp)}`);
    const style = styleFor(process.stdout);
    const lines = [`Total: ${formatCompact(total, unit)} (${printable(type)})`];
    for (const routine of routines) {
      const [head, ...rows] = formatRoutine(routine, total, unit);
      lines.push(style.bold(head!), ...rows);
    }
    await writeOutput('-', [`${lines.join('\n')}\n`]);
    return 0;
  },
};

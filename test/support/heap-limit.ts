import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { formatHeapText } from '#dist/formats/gotext/encode.js';
import { parseProfile } from '#dist/formats/readers.js';
import type { Frame, MemProfileRecord, MemStats } from '#dist/profile/public-types.js';
import { type Outcome, runProgram } from './run.js';

export const FILE = /^memprof\.\d{8}\.\d{6}\.\d+\.(\d+)\.(\d{3})\.oom\.txt$/;

type Settings = Readonly<Record<string, unknown>>;

export function runOut(settings: Settings, flags: readonly string[] = [], cwd?: string): Promise<Outcome> {
  return runProgram('heap-limit-dump', {
    flags: ['--expose-gc', '--max-old-space-size=32', ...flags],
    args: [JSON.stringify(settings)],
    ...(cwd === undefined ? {} : { cwd }),
  });
}

/** How a program ended, in Node's own words; what differs from run to run left out. */
export function death({ code, signal, stdout, stderr }: Outcome) {
  return {
    code,
    signal,
    stdout,
    message: stderr.match(/^FATAL ERROR: .*JavaScript heap out of memory$/gm)?.length,
    trace: stderr.match(/^----- Native stack trace -----$/gm)?.length,
    others: stderr.match(/^.*(Check failed|Segmentation|double free|corrupt|Fatal error in|Error:).*$/gm),
  };
}

/** What memprof itself said. */
export function said({ stderr }: Outcome): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('memprof: '));
}

export function dumpsIn(t: Test, folder: string, outcome: Outcome): string[] {
  const names = readdirSync(folder).sort();
  for (const name of names) t.match(name, FILE);
  const files = names.map((name) => join(folder, name));
  t.same(
    said(outcome).sort(),
    files.map((file) => `memprof: out of heap, wrote ${file}`),
    'one line for each',
  );
  return files;
}

/** The function of a program that holds the most, and its share of what is in use. */
export function topOf(file: string): { name: string | undefined; share: number } {
  const { samples, sampleTypes } = parseProfile(readFileSync(file));
  const inUse = sampleTypes.findIndex(({ type }) => type === 'inuse_space');
  const sums = new Map<string | undefined, number>();
  let total = 0;
  for (const { values, stack } of samples) {
    // Which built-in functions have frames of their own, as JSON.stringify, differs from version to version.
    const name = stack.find(({ fileName }) => fileName?.endsWith('.cjs'))?.functionName;
    sums.set(name, (sums.get(name) ?? 0) + values[inUse]!);
    total += values[inUse]!;
  }
  const [name, most] = [...sums].sort((a, b) => b[1] - a[1])[0] ?? ['', 0];
  return { name, share: most / total };
}

export function leakIsOnTop(t: Test, file: string, leak: string): void {
  const { name, share } = topOf(file);
  t.equal(name, leak);
  t.ok(share > 0.5, `${(share * 100).toFixed(1)} % of what is in use`);
}

const RECORD_LINE = /^(\d+): (\d+) \[(\d+): (\d+)\] @((?: 0x[0-9a-f]+)+)$/;
const COMMENT_LINE = /^#\t0x([0-9a-f]+)\t+(.*)\+0x0\t+(.*):(\d+)$/;

/** What the writer in lib/ makes of the same records. */
export function writtenAgain(dump: string): string {
  const records: MemProfileRecord[] = [];
  let stack: Frame[] = [];
  for (const line of dump.split('\n')) {
    const counts = RECORD_LINE.exec(line);
    const comment = COMMENT_LINE.exec(line);
    if (counts !== null) {
      stack = [];
      const [inUseObjects = 0, inUseBytes = 0, allocObjects = 0, allocBytes = 0] = counts
        .slice(1, 5)
        .map(Number);
      const own = stack;
      records.push({
        allocObjects,
        allocBytes,
        freeObjects: allocObjects - inUseObjects,
        freeBytes: allocBytes - inUseBytes,
        stack: () => own,
        inUseObjects: () => inUseObjects,
        inUseBytes: () => inUseBytes,
      });
    } else if (comment !== null) {
      const [, address = '', functionName = '', fileName = '', lineNumber] = comment;
      const frame = { address: Number.parseInt(address, 16), functionName, fileName, columnNumber: 0 };
      stack.push({ ...frame, lineNumber: Number(lineNumber) });
    }
  }
  const stats = { pauseNs: [], pauseEnd: [] } as unknown as MemStats;
  return recordsOf(formatHeapText(records, stats, { sampleInterval: 16384 }));
}

export function recordsOf(text: string): string {
  return text.slice(0, text.indexOf('\n# runtime.MemStats\n'));
}

export function trailerOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^# (\w+) = (.*)$/gm)].map(([, name, value]) => [name!, value!]));
}

import { readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { scaleFactor } from '#dist/profile/scaling.js';
import { type PlainRecord, scaledSums } from '../support/figures.js';
import { type Outcome, report, runCommand, runProgram } from '../support/run.js';
import { needs } from '../support/tools.js';

interface AddressedRecord extends PlainRecord {
  addresses: number[];
}

const INTERVAL = 16384;

const columns = {
  alloc_objects: (each: PlainRecord) => [each.allocObjects, each.allocBytes, 0] as const,
  alloc_space: (each: PlainRecord) => [each.allocObjects, each.allocBytes, 1] as const,
  inuse_objects: (each: PlainRecord) =>
    [each.allocObjects - each.freeObjects, each.allocBytes - each.freeBytes, 0] as const,
  inuse_space: (each: PlainRecord) =>
    [each.allocObjects - each.freeObjects, each.allocBytes - each.freeBytes, 1] as const,
};
type Column = keyof typeof columns;

/** What a reader should make of a column: Go's formula for each record, cut to a whole number. */
function scaled(column: Column, record: PlainRecord): number {
  const [objects, bytes, which] = columns[column](record);
  return Math.trunc((which === 0 ? objects : bytes) * scaleFactor(objects, bytes, INTERVAL));
}

function total(column: Column, records: readonly PlainRecord[]): number {
  return records.reduce((sum, each) => sum + scaled(column, each), 0);
}

/** By the address of the leaf. */
function flat(column: Column, records: readonly AddressedRecord[]): Map<number, number> {
  const sums = new Map<number, number>();
  for (const each of records) {
    const leaf = each.addresses[0]!;
    sums.set(leaf, (sums.get(leaf) ?? 0) + scaled(column, each));
  }
  return sums;
}

async function runTool(command: string, args: readonly string[], debianPackage: string): Promise<Outcome> {
  try {
    return await runCommand(command, args, { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  } catch (cause) {
    throw new Error(`${command} is missing: apt-get install ${debianPackage}`, { cause });
  }
}

/** Rows of a table of `flat flat% sum% cum cum% address`. */
function parseRows(text: string, row: RegExp): Map<number, number> {
  const rows = new Map<number, number>();
  for (const [, value, address] of text.matchAll(row)) rows.set(Number.parseInt(address!, 16), Number(value));
  return rows;
}

/** `slack`: readers add up in floating point and cut to whole numbers, at most once a record. */
function checkRows(
  t: Test,
  found: Map<number, number>,
  wanted: Map<number, number>,
  offset: number,
  slack: number,
): void {
  for (const [address, value] of wanted) {
    const read = found.get(address + offset) ?? 0;
    if (Math.abs(read - value) > slack) t.fail(`0x${address.toString(16)} is off`, { read, value });
  }
  t.ok(found.size > 0 && wanted.size > 0, 'rows');
}

t.test('readers of the text come to our figures', async (t) => {
  const directory = t.testdir();
  const { records } = await report<{ records: AddressedRecord[] }>('keeping', {
    args: [directory, String(INTERVAL)],
  });
  const slack = records.length;
  t.ok(scaledSums(records, INTERVAL).inUseBytes > 10e6, 'there is something to read');

  for (const file of ['heap.txt', 'heap_v2.txt']) {
    for (const column of Object.keys(columns) as Column[]) {
      t.test(`go tool pprof, ${file}, ${column}`, needs('go'), async (t) => {
        const args = ['tool', 'pprof', '-top', `-sample_index=${column}`, '-symbolize=none', '-addresses'];
        const all = ['-nodecount=100000', '-nodefraction=0', '-edgefraction=0'];
        const unit = column.endsWith('space') ? ['-unit=b'] : [];
        const { code, stdout, stderr } = await runTool(
          'go',
          [...args, ...all, ...unit, path.join(directory, file)],
          'golang-go',
        );
        t.equal(code, 0, 'exit code', { stderr });
        t.match(stdout, `Type: ${column}\n`);
        const [, read] = /accounting for \S+, 100% of (\d+)B? total/.exec(stdout) ?? [];
        t.ok(Math.abs(Number(read) - total(column, records)) <= slack, 'total', {
          read,
          wanted: total(column, records),
        });
        const rows = parseRows(
          stdout,
          /^ *(\d+)B? +[\d.]+% +[\d.]+% +\d+B? +[\d.]+% +([0-9a-f]{16}) <unknown>$/gm,
        );
        checkRows(t, rows, flat(column, records), 0, slack);
      });
    }
  }

  for (const column of Object.keys(columns) as Column[]) {
    t.test(`google-pprof, heap_v2.txt, ${column}`, needs('google-pprof'), async (t) => {
      const args = ['--text', '--show_bytes', '--nodecount=100000', '--nodefraction=0'];
      const { code, stdout, stderr } = await runTool(
        'google-pprof',
        // It wants a program to look symbols up in. A small one: Node.js takes it seconds.
        [...args, `--${column}`, '/bin/sh', path.join(directory, 'heap_v2.txt')],
        'google-perftools',
      );
      t.equal(code, 0, 'exit code', { stderr });
      t.match(stderr, /Heap version 2/);
      const [, read] = /^Total: (\d+)/m.exec(stdout) ?? [];
      t.ok(Math.abs(Number(read) - total(column, records)) <= slack, 'total', {
        read,
        wanted: total(column, records),
      });
      // It knows the return addresses only.
      const rows = parseRows(stdout, /^ *(\d+) +[\d.]+% +[\d.]+% +\d+ +[\d.]+% 0x([0-9a-f]+)/gm);
      checkRows(t, rows, flat(column, records), 1, slack);
    });
  }

  t.test('the kept site is at the top of the text, by name', async (t) => {
    const text = readFileSync(path.join(directory, 'heap.txt'), 'utf8');
    t.match(leafLines(text)[0], /\tfillCache\+0x0\t+.*\/keeping\.cjs:\d+$/);
    t.ok(
      leafLines(text).some((line) => line.includes('\tchurn+0x0\t')),
      'the dropped one is in it too',
    );
  });
});

/** The first line of each record's stack. */
function leafLines(text: string): string[] {
  return [...text.matchAll(/^\d+: \d+ \[\d+: \d+\] @ .*\n(#\t.*)$/gm)].map((match) => match[1]!);
}

t.test('a leak is at the top of the text, by name', async (t) => {
  const { code, stdout, stderr } = await runProgram('leaking');
  t.equal(code, 0);
  t.equal(stderr, '');
  t.match(leafLines(stdout)[0], /\trememberRequest\+0x0\t+.*\/leaking\.cjs:\d+$/);
  t.match(stdout, /\n# runtime\.MemStats\n# Alloc = \d+\n/);
});

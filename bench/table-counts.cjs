'use strict';
// What a find and its two additions take in each table, in counts that no other program can disturb: instructions, and
// misses of caches of the sizes given, as valgrind simulates them. The difference between two runs, with more and with
// fewer finds, is that of the finds alone. For times see table.cjs, which also says what BOOST_INCLUDE is.
const { execFileSync, spawnSync } = require('node:child_process');
const path = require('node:path');
const { readOptions } = require('./support/command.cjs');

const options = readOptions(
  { operations: 50_000, keys: '1000,10000,100000', first: '49152,12,64', last: '2097152,16,64' },
  { operations: 20_000, keys: '1000' },
);
const directory = path.join(__dirname, 'table');
const binary = path.join(directory, 'out', 'find_counts');
const KEYS = ['stack of 32 frames', 'bucket'];

function count(key, table, keys, operations) {
  const args = ['--tool=cachegrind', '--cache-sim=yes', '--cachegrind-out-file=/dev/null'];
  args.push(
    `--D1=${options.first}`,
    `--LL=${options.last}`,
    binary,
    key,
    table,
    keys,
    String(operations),
    String(2 * options.operations),
  );
  const { stderr } = spawnSync('valgrind', args, { encoding: 'utf8' });
  const of = (name) => {
    const [, digits] = new RegExp(`${name}: +([\\d,]+)`).exec(stderr) ?? [];
    if (digits === undefined) throw new Error(`valgrind: ${stderr}`);
    return Number(digits.replaceAll(',', ''));
  };
  return [of('I +refs'), of('D1 +misses'), of('LLd misses')];
}

function main() {
  try {
    execFileSync('make', ['-s', '-C', directory, 'out/find_counts'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    execFileSync('valgrind', ['--version'], { stdio: 'ignore' });
  } catch {
    console.error('Counts need make, a C++20 compiler and valgrind (Debian: g++ make valgrind).');
    process.exit(1);
  }
  const tables = execFileSync(binary, { encoding: 'utf8' }).trim().split('\n');
  const rows = [];
  for (const key of KEYS) {
    for (const keys of options.keys.split(',')) {
      for (const table of tables) {
        const few = count(key, table, keys, options.operations);
        const many = count(key, table, keys, 2 * options.operations);
        const [instructions, first, last] = many.map((each, i) => (each - few[i]) / options.operations);
        rows.push({
          key,
          keys,
          table,
          instructions: instructions.toFixed(1),
          'misses, first level': first.toFixed(3),
          'misses, last level': last.toFixed(3),
        });
      }
    }
  }
  console.table(rows);
}

main();

// Writes the tables of options into README.md and docs/*.md, between `<!-- options … -->` and `<!-- end of options -->`,
// from the one table in lib/base/options.ts. Run it after `npm run build:ts`: `node docs/option-tables.cjs`. With
// `--check` it only says which file is out of date, and fails.
//
//   <!-- options of NAME -->         what a function of the API takes
//   <!-- options by variable -->     what `memprof/register` reads from the environment
//   <!-- options by flag NAME -->    what a command takes
'use strict';

const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { flagsOf } = require('../dist/cli/options.js');
const { defaultOf, optionsOf, variableName } = require('../dist/base/options.js');

const root = path.join(__dirname, '..');
const BLOCK = /(<!-- options (of|by variable|by flag) ?([\w-]*) -->\n)[\s\S]*?(<!-- end of options -->)/g;

const code = (text) => (text === '' ? '' : `\`${text}\``);
const cell = (text) => text.replaceAll('|', '\\|');

function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows];
  return `${lines.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}\n`;
}

/** The value as JavaScript has it. */
function literal(value) {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function inApi(option, taker) {
  const value = defaultOf(option, taker);
  if (option.needed) return 'needed';
  if (option.shownDefault !== undefined) return option.shownDefault;
  return value === undefined ? '' : code(literal(value));
}

function asText(option, taker) {
  const value = defaultOf(option, taker);
  return value === undefined ? '' : code(option.kind.show(value));
}

function withRange(help, range) {
  return range === '' ? help : `${help} (${range})`;
}

const tables = {
  of: (taker) =>
    table(
      ['option', 'default', ''],
      optionsOf(taker).map((option) => [
        code(option.name),
        inApi(option, taker),
        withRange(option.help, option.kind.apiRange),
      ]),
    ),
  'by variable': () =>
    table(
      ['variable', 'default', ''],
      optionsOf('register').map((option) => [
        code(variableName(option)),
        asText(option, 'register'),
        withRange(option.help, option.kind.range),
      ]),
    ),
  'by flag': (command) =>
    table(
      ['flag', ''],
      flagsOf(command)
        .filter(({ help }) => help !== '')
        .map(({ name, short, placeholder, help }) => [
          code(`${short === undefined ? '' : `-${short}, `}--${name}${placeholder ? ` ${placeholder}` : ''}`),
          help,
        ]),
    ),
};

/** The text of a page with its tables as they are to be now. */
function withTables(text) {
  return text.replace(BLOCK, (_, begin, kind, name, end) => `${begin}\n${tables[kind](name)}\n${end}`);
}

function pages() {
  const names = readdirSync(__dirname).filter((name) => name.endsWith('.md'));
  return [path.join(root, 'README.md'), ...names.map((name) => path.join(__dirname, name))];
}

module.exports = { pages, withTables };

if (require.main === module) {
  for (const file of pages()) {
    const text = readFileSync(file, 'utf8');
    const current = withTables(text);
    if (current === text) continue;
    if (process.argv[2] === '--check') {
      console.error(`${path.relative(root, file)} is out of date: run node docs/option-tables.cjs`);
      process.exitCode = 1;
    } else {
      writeFileSync(file, current);
    }
  }
}

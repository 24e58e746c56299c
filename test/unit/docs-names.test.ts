// What sentences and tables of the documentation name in passing exists: commands with their options, variables, fields of
// `status()`, pages over HTTP. Whole examples are run by command/docs-examples.
import t from 'tap';
import { commands } from '#dist/base/command-options.js';
import { OPTIONS, variableName } from '#dist/base/options.js';
import { flagsOf } from '#dist/cli/options.js';
import { descriptions } from '#dist/http/page-list.js';
import { status } from '#dist/index.js';
import { allPages } from '../support/docs.js';

interface Named {
  where: string;
  text: string;
}

/** All that `pattern` finds in the pages, from the first group on. */
function named(pattern: RegExp): Named[] {
  return allPages().flatMap(({ page, text }) =>
    Array.from(text.matchAll(pattern), ({ index, 1: found }) => ({
      where: `${page}:${text.slice(0, index).split('\n').length}`,
      text: found!,
    })),
  );
}

const wrong = (found: readonly Named[], isWrong: (text: string) => boolean) =>
  found.filter(({ text }) => isWrong(text)).map(({ where, text }) => `${where}: ${text}`);

type CommandName = (typeof commands)[number];
const isCommand = (name: string): name is CommandName => (commands as readonly string[]).includes(name);

/** Switches that are on by default are named in both ways. */
const namesOfFlags = (command: CommandName) =>
  flagsOf(command).flatMap(({ name, short }) => [`--${name}`, `-${short}`]);

/** What `memprof COMMAND ARGUMENT…` has that the command does not know, or the command. */
function unknownIn(line: string): string | undefined {
  const [name, ...args] = line.split(/\s+/) as [string, ...string[]];
  if (name === 'help') return args.find((arg) => !isCommand(arg) && arg !== 'COMMAND');
  if (!isCommand(name)) return name;
  const flags = namesOfFlags(name);
  // What follows the program of `run` is the program's.
  const end = name === 'run' ? args.findIndex((arg) => !arg.startsWith('-')) : -1;
  const own = end === -1 ? args : args.slice(0, end);
  return own.find((arg) => /^--?[a-z]/.test(arg) && !flags.includes(arg.split('=')[0]!));
}

t.test('commands and their options', async (t) => {
  // In the code of a sentence; what a sentence says of memprof has no backtick before it.
  const found = named(/`(?:npx )?memprof ([a-z][^`|]*)`/g);
  t.ok(found.length > 40, `${found.length} commands`);
  t.strictSame(
    wrong(found, (line) => unknownIn(line) !== undefined),
    [],
  );
  t.equal(unknownIn('tops x'), 'tops');
  t.equal(unknownIn('top --nodecont=3 x'), '--nodecont=3');
  t.equal(unknownIn('run --buffers app.js --its-own'), undefined);
  t.equal(unknownIn('help COMMAND'), undefined);
});

/** Of other programs: Node.js, V8, docker, esbuild and scripts of this repository. */
const OTHERS = new Set(
  `--allow-addons --allow-fs-read --allow-fs-write --allow-worker --cpu-prof --disable-sigusr1 --enable-source-maps
  --experimental-async-context-frame --heap-prof --heapsnapshot-near-heap-limit --import --max-old-space-size
  --no-turbo-inlining --permission --report-on-fatalerror --require --external:memprof --feature-gates --quick -z`.split(
    /\s+/,
  ),
);

/** Parts of options, and Go's spelling of ours. */
const SPELLINGS = new Set(['--no-', '--nodecount', '--sample_index']);

t.test('options that stand alone', async (t) => {
  const known = new Set(commands.flatMap(namesOfFlags));
  const found = named(/`(--?[a-z][\w:-]*)[^`]*`/g);
  t.ok(found.length > 30, `${found.length} options`);
  const isUnknown = (flag: string) => !known.has(flag) && !OTHERS.has(flag) && !SPELLINGS.has(flag);
  t.strictSame(wrong(found, isUnknown), []);
});

/** Codes of warnings, which docs/errors.md lists, and what only tests read. */
const NO_SETTINGS = /^MEMPROF_(?:REGISTER|DISPLACED|PUSH|TEST_\w+)$/;

t.test('variables', async (t) => {
  const known = OPTIONS.map(variableName);
  const found = named(/\b(MEMPROF_[A-Z_]*[A-Z])\b/g);
  t.ok(found.length > 50, `${found.length} variables`);
  t.strictSame(
    wrong(found, (name) => !known.includes(name) && !NO_SETTINGS.test(name)),
    [],
  );
});

t.test('fields of status()', async (t) => {
  const found = named(/\bstatus\(\)\.((?:\w+\.)*\w+)/g);
  t.ok(found.length > 20, `${found.length} fields`);
  const has = (field: string) => {
    let value: unknown = status();
    for (const name of field.split('.')) {
      if (typeof value !== 'object' || value === null || !(name in value)) return false;
      value = (value as Record<string, unknown>)[name];
    }
    return true;
  };
  t.notOk(has('heap.nothing'));
  t.strictSame(
    wrong(found, (field) => !has(field)),
    [],
  );
});

t.test('pages over HTTP', async (t) => {
  const known = [...descriptions.map(({ name }) => name), 'symbol', 'interval'];
  const found = named(/\/debug\/pprof\/(\w+)/g);
  t.ok(found.length > 30, `${found.length} pages`);
  t.strictSame(
    wrong(found, (name) => !known.includes(name)),
    [],
  );
});

import { flagName } from '../base/options.js';
import type { Command } from './command.js';
import { flagsOf } from './options.js';

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `Usage: memprof COMMAND [options]

memprof makes and reads heap profiles of Node.js programs: they show what allocates memory, and what is still in use.

${lines.join('')}
  memprof COMMAND --help   shows the options of a command
  memprof --version

Exit codes: 0 success, 1 failure (such as a file that cannot be read), 2 wrong usage.
`;
}

export function commandHelp({ name, usage, summary, details }: Command): string {
  const flags = flagsOf(name);
  const names = new Set(flags.map((each) => each.name));
  const rows = flags
    .filter(({ help }) => help !== '')
    .map(({ name, short, placeholder, help }) => {
      const flag = `${short === undefined ? '    ' : `-${short}, `}--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`;
      return [flag, inFlags(help, names)] as const;
    });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  const list = rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${wrap(help, width + 4, COLUMNS)}\n`);
  return `Usage: memprof ${usage}

${summary[0]!.toUpperCase()}${summary.slice(1)}.

${list.join('')}
${filled(details)}
`;
}

/** The table of options names others as the API does: here, those that are flags of the command are named as flags. */
function inFlags(help: string, names: ReadonlySet<string>): string {
  return help.replace(/`([^`]*)`/g, (_, name: string) => {
    const flag = flagName({ name });
    return names.has(flag) ? `--${flag}` : name;
  });
}

const COLUMNS = 100;
const TEXT_COLUMNS = 116;

/** Breaks the lines of paragraphs anew; lines that are indented stay as they are. */
function filled(text: string): string {
  return text
    .split('\n\n')
    .map((paragraph) =>
      /^\s/m.test(paragraph) ? paragraph : wrap(paragraph.replaceAll('\n', ' '), 0, TEXT_COLUMNS),
    )
    .join('\n\n');
}

function wrap(text: string, indent: number, columns: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && indent + line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

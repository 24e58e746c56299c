import { printable } from '../base/text.js';
import type { Command } from './command.js';
import { type Flag, flagsOf, UsageError } from './options.js';
import { writeOutput } from './profile-file.js';

const shells = ['bash', 'zsh', 'fish'] as const;

type Commands = readonly Command[];

function visible(command: Command): Flag[] {
  return flagsOf(command.name).filter(({ help }) => help !== '');
}

function spellings({ name, short }: Flag): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

function bash(commands: Commands): string {
  const names = commands.map(({ name }) => name).join(' ');
  const cases = commands.map((command) => {
    const values = visible(command)
      .filter(({ placeholder }) => placeholder !== undefined)
      .map((flag) => {
        const { complete } = flag;
        const action =
          complete === 'file'
            ? '_memprof_reply -f'
            : complete === 'directory'
              ? '_memprof_reply -d'
              : complete === undefined
                ? ':'
                : `_memprof_reply -W '${complete.join(' ')}'`;
        return `        ${spellings(flag).join('|')}) ${action}; return ;;\n`;
      });
    const options = visible(command).flatMap(spellings).join(' ');
    const operands =
      command.operands === 'file' ? '_memprof_reply -f' : `_memprof_reply -W '${command.operands.join(' ')}'`;
    return `    ${command.name})
      case $prev in
${values.join('')}      esac
      if [[ $cur == -* ]]; then _memprof_reply -W '${options}'; else ${operands}; fi
      ;;
`;
  });
  return `# memprof completion for bash: eval "$(memprof completion bash)"
_memprof_reply() {
  local IFS=$'\\n'
  COMPREPLY=($(IFS=$' \\n' compgen "$@" -- "$cur"))
}
_memprof() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _memprof_reply -W '${names} help --help --version'
    return
  fi
  case \${COMP_WORDS[1]} in
    help) _memprof_reply -W '${names}' ;;
${cases.join('')}  esac
}
complete -o filenames -F _memprof memprof
`;
}

/** Escapes text for single quotes in zsh and fish. */
function quoted(text: string): string {
  return plain(text).replace(/[[\]:]/g, '\\$&');
}

function plain(text: string): string {
  return text.replaceAll("'", '’').replaceAll('`', '');
}

function zsh(commands: Commands): string {
  const action = ({ placeholder, complete }: Flag) => {
    if (placeholder === undefined) return '';
    if (complete === 'file') return `:${placeholder}:_files`;
    if (complete === 'directory') return `:${placeholder}:_files -/`;
    return `:${placeholder}:${complete === undefined ? '' : `(${complete.join(' ')})`}`;
  };
  const cases = commands.map((command) => {
    const specs = visible(command).map((flag) => {
      const { name, short } = flag;
      const argument = `[${quoted(flag.help)}]${action(flag)}`;
      const equals = flag.placeholder === undefined ? '' : '=';
      return short === undefined
        ? `'--${name}${equals}${argument}'`
        : `{-${short},--${name}${equals}}'${argument}'`;
    });
    const operands = command.operands === 'file' ? '_files' : `(${command.operands.join(' ')})`;
    return `    ${command.name}) _arguments ${specs.join(' ')} '*:argument:${operands}' ;;\n`;
  });
  const names = commands.map(({ name, summary }) => `'${name}:${quoted(summary)}'`);
  return `#compdef memprof
# memprof completion for zsh: source <(memprof completion zsh)
_memprof() {
  local -a commands=(${names.join(' ')})
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join('')}  esac
}
compdef _memprof memprof
`;
}

function fish(commands: Commands): string {
  const lines = ['# memprof completion for fish: memprof completion fish | source', 'complete -c memprof -f'];
  for (const command of commands) {
    lines.push(
      `complete -c memprof -n __fish_use_subcommand -a ${command.name} -d '${quoted(command.summary)}'`,
    );
    const here = `complete -c memprof -n '__fish_seen_subcommand_from ${command.name}'`;
    if (command.operands === 'file') lines.push(`${here} -F`);
    else lines.push(`${here} -a '${command.operands.join(' ')}'`);
    for (const { name, short, placeholder, help, complete } of visible(command)) {
      const shortOption = short === undefined ? '' : ` -s ${short}`;
      const wants = placeholder === undefined ? '' : ' -r';
      const from =
        complete === 'file' || complete === 'directory'
          ? ' -F'
          : complete === undefined
            ? ''
            : ` -a '${complete.join(' ')}'`;
      lines.push(`${here}${shortOption} -l ${name}${wants}${from} -d '${plain(help)}'`);
    }
  }
  return `${lines.join('\n')}\n`;
}

const scripts = { bash, zsh, fish };

export function completionScript(shell: keyof typeof scripts, commands: Commands): string {
  return scripts[shell](commands);
}

export function completionCommand(commands: () => Commands): Command {
  return {
    name: 'completion',
    summary: 'print a completion script for a shell',
    usage: `completion ${shells.join('|')}`,
    details: `  bash, in ~/.bashrc:                    eval "$(memprof completion bash)"
  zsh, in ~/.zshrc, after compinit:      source <(memprof completion zsh)
  fish, in ~/.config/fish/config.fish:   memprof completion fish | source`,
    operands: shells,
    async run({ operands }) {
      if (operands.length !== 1) {
        throw new UsageError(`name one shell: ${shells.join(', ')}`, 'completion');
      }
      const shell = shells.find((each) => each === operands[0]);
      if (shell === undefined) {
        throw new UsageError(
          `the shell must be ${shells.join(' or ')}, not '${printable(operands[0]!)}'`,
          'completion',
        );
      }
      await writeOutput('-', [completionScript(shell, commands())]);
      return 0;
    },
  };
}

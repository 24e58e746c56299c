import type { CommandName } from '../base/command-options.js';
import type { Arguments } from './options.js';

export interface Command {
  /** The table of options has the flags of the command under this name. */
  name: CommandName;
  /** One line for the list of commands. */
  summary: string;
  /** The command line after `memprof `. */
  usage: string;
  /** Text at the end of the command's help. */
  details: string;
  /** How shells complete operands: with file names, or with one of these words. */
  operands: 'file' | readonly string[];
  /** Options end at the first operand; everything after it belongs to another program. */
  passesRest?: boolean;
  /** Resolves to the exit code, or to `undefined` if the process ends in another way. */
  run(args: Arguments): Promise<number | undefined>;
}

import type { CommandName } from '../base/command-options.js';
import type { Arguments } from './options.js';

export interface Command {
  /** Its flags are in the table of options. */
  name: CommandName;
  /** One line for the list of commands. */
  summary: string;
  /** What follows `memprof `. */
  usage: string;
  /** More for its own help. */
  details: string;
  /** Completion of what is not an option. */
  operands: 'file' | readonly string[];
  /** Options end at the first operand: what follows is another program's. */
  passesRest?: boolean;
  /** Resolves to the exit code; `undefined` if the process has another way to end. */
  run(args: Arguments): Promise<number | undefined>;
}

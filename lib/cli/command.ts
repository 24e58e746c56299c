import type { Arguments, Options } from './options.js';

export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** What follows `memprof `. */
  usage: string;
  /** More for its own help. */
  details: string;
  options: Options;
  /** Completion of what is not an option. */
  operands: 'file' | readonly string[];
  /** Options end at the first operand: what follows is another program's. */
  passesRest?: boolean;
  /** Resolves to the exit code; `undefined` if the process has another way to end. */
  run(args: Arguments): Promise<number | undefined>;
}

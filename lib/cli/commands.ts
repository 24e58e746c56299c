// The commands. The module of one is loaded when it is wanted: a run wants one, and all take longer to load than it to run.
import { type CommandName, commands as names } from '../base/command-options.js';
import type { Command } from './command.js';

const reports = () => require('./report-commands.js') as typeof import('./report-commands.js');
const samples = () => require('./sample-commands.js') as typeof import('./sample-commands.js');
const attachment = () => require('./attach.js') as typeof import('./attach.js');
const completion = () => require('./completion.js') as typeof import('./completion.js');

const loaders: Readonly<Record<CommandName, () => Command>> = {
  run: () => (require('./run.js') as typeof import('./run.js')).run,
  attach: () => attachment().attach,
  detach: () => attachment().detach,
  top: () => reports().top,
  tree: () => reports().tree,
  peek: () => reports().peek,
  traces: () => samples().traces,
  tags: () => samples().tags,
  raw: () => samples().raw,
  diff: () => reports().diff,
  list: () => (require('./list.js') as typeof import('./list.js')).list,
  leaks: () => (require('./leaks.js') as typeof import('./leaks.js')).leaks,
  why: () => (require('./why.js') as typeof import('./why.js')).why,
  flame: () => (require('./flame.js') as typeof import('./flame.js')).flame,
  open: () => (require('./open.js') as typeof import('./open.js')).open,
  memory: () => (require('./memory.js') as typeof import('./memory.js')).memory,
  convert: () => (require('./convert.js') as typeof import('./convert.js')).convert,
  'bench-compare': () => (require('./bench-compare.js') as typeof import('./bench-compare.js')).benchCompare,
  build: () => (require('./build.js') as typeof import('./build.js')).build,
  completion: () => completion().completionCommand(allCommands),
};

export { names as commandNames };

/** In the order of the help. */
export function allCommands(): readonly Command[] {
  return names.map((name) => loaders[name]());
}

export function commandCalled(name: string): Command | undefined {
  const known = names.find((each) => each === name);
  return known && loaders[known]();
}

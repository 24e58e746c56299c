import path from 'node:path';
import { formatCompact } from '../analysis/units.js';
import { optionsOf } from '../base/options.js';
import { printable } from '../base/text.js';
import type { Attached } from '../launch/attached.js';
import type { Command } from './command.js';
import { Inspector } from './inspector.js';
import { type Arguments, UsageError } from './options.js';
import { writeOutput } from './profile-file.js';

const MODULE = JSON.stringify(path.join(__dirname, '..', 'launch', 'attached.js'));

function pidOf({ operands }: Arguments, command: string): number {
  const [text, ...more] = operands;
  if (text === undefined) throw new UsageError('the id of the process is missing', command);
  if (more.length > 0) throw new UsageError(`unexpected argument '${printable(more[0]!)}'`, command);
  const pid = Number(text);
  if (!/^\d+$/.test(text) || pid < 1 || !Number.isSafeInteger(pid)) {
    throw new UsageError(`PID must be the id of a process, not '${printable(text)}'`, command);
  }
  return pid;
}

export const attach: Command = {
  name: 'attach',
  summary: 'profile a running program that was not prepared for it',
  usage: 'attach [options] PID',
  details: `Opens the inspector of the process by SIGUSR1, loads memprof through it, starts profiling and serves the pages on
127.0.0.1. Then it closes the inspector, unless that was open before. Nothing else in the program is changed, and it
keeps running. PID must be a process of Node.js 20 or later of the same user. What was allocated before is not known,
so figures begin now. Workers that are running already are not profiled. memprof detach PID ends it.`,
  operands: [],
  async run(args) {
    const pid = pidOf(args, 'attach');
    const { values, given } = args;
    const names = optionsOf('attach').filter(
      (option) => option.takers.includes('start') && given.has(option.name),
    );
    const options = Object.fromEntries(names.map(({ name }) => [name, values[name]]));
    const inspector = await Inspector.open(pid);
    let attached: Attached;
    try {
      attached = (await inspector.evaluate(
        `require(${MODULE}).attach(${JSON.stringify(options)}, ${values.port})`,
      )) as Attached;
    } finally {
      await inspector.close();
    }
    const { program, version, url, sampleInterval, wasRunning, again } = attached;
    const state = again
      ? 'is attached already'
      : wasRunning
        ? 'profiles itself already'
        : 'is profiled from now on';
    process.stderr.write(
      `memprof: process ${pid} (${printable(path.basename(program))}, Node.js ${version}) ${state}, a sample every ` +
        `${formatCompact(sampleInterval, 'bytes')}\n` +
        `memprof: look at the address, or find what grows with memprof leaks '${url}heap?gc=1'; memprof detach ${pid} ends it\n`,
    );
    await writeOutput('-', [`${url}\n`]);
    return 0;
  },
};

export const detach: Command = {
  name: 'detach',
  summary: 'end what attach began',
  usage: 'detach PID',
  details: `Ends profiling and the server of memprof attach in the process. Figures are lost; the code that was loaded stays.`,
  operands: [],
  async run(args) {
    const pid = pidOf(args, 'detach');
    const inspector = await Inspector.open(pid);
    let wasAttached: boolean;
    try {
      wasAttached = (await inspector.evaluate(`require(${MODULE}).detach()`)) as boolean;
    } finally {
      await inspector.close();
    }
    process.stderr.write(
      wasAttached
        ? `memprof: process ${pid} is not profiled any more\n`
        : `memprof: process ${pid} was not attached\n`,
    );
    return wasAttached ? 0 : 1;
  },
};

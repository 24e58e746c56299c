import path from 'node:path';
import { checkComparable, cutDroppedFrames } from '../analysis/filters.js';
import { printable } from '../base/text.js';
import { formatFlamePage } from '../flame/page.js';
import type { Command } from './command.js';
import { helpOption, UsageError } from './options.js';
import { writeOutput } from './profile-file.js';
import {
  baseOption,
  checkSampleIndex,
  expectOperands,
  loadWithBase,
  sampleIndexOf,
  sampleIndexOption,
} from './report-commands.js';

export const outputOption = {
  output: {
    value: 'FILE',
    short: 'o',
    help: 'the file to write; - is standard output',
    complete: 'file' as const,
  },
};

export const flame: Command = {
  name: 'flame',
  summary: 'a page with a flame graph, to open in a browser',
  usage: 'flame [options] FILE -o OUT.html',
  details: `FILE is a profile in text or proto form, gzipped or not; - reads standard input.
The page is one file and needs no network: click a frame to zoom, search, switch between the figures.
With --base, colours tell what became more and what less.`,
  options: {
    ...outputOption,
    ...sampleIndexOption,
    base: { ...baseOption.base!, help: 'colour by the difference to this profile' },
    ...helpOption,
  },
  operands: 'file',
  async run(args) {
    const [file] = expectOperands(args, ['FILE'], 'flame');
    const output = args.values.output;
    if (typeof output !== 'string' || output === '')
      throw new UsageError('say where to with -o OUT.html', 'flame');
    const [profile, base] = await loadWithBase(args, file!, 'flame');
    if (base !== undefined) checkComparable(profile, base);
    const page = formatFlamePage(cutDroppedFrames(profile), base && cutDroppedFrames(base), {
      title: file === '-' ? 'Heap profile' : printable(path.basename(file!)),
      sampleIndex: checkSampleIndex(profile, sampleIndexOf(args), 'flame'),
    });
    await writeOutput(output, [page]);
    return 0;
  },
};

import path from 'node:path';
import { checkComparable, cutDroppedFrames } from '../analysis/filters.js';
import { printable } from '../base/text.js';
import { formatFlamePage } from '../flame/page.js';
import type { Command } from './command.js';
import { UsageError } from './options.js';
import { writeOutput } from './profile-file.js';
import { checkSampleIndex, expectOperands, loadWithBase } from './report-commands.js';

export const flame: Command = {
  name: 'flame',
  summary: 'a page with a flame graph, to open in a browser',
  usage: 'flame [options] FILE -o OUT.html',
  details: `FILE is a profile in text or proto form, gzipped or not; - reads standard input.
The page is one file and needs no network: click a frame to zoom, search, switch between the figures.
With --base, colours tell what became more and what less.`,
  operands: 'file',
  async run(args) {
    const [file] = expectOperands(args, ['FILE'], 'flame');
    const { output, sampleIndex } = args.values as { output?: string; sampleIndex: string };
    if (output === undefined) throw new UsageError('say where to with -o OUT.html', 'flame');
    const [profile, base] = await loadWithBase(args, file!, 'flame');
    if (base !== undefined) checkComparable(profile, base);
    const page = formatFlamePage(cutDroppedFrames(profile), base && cutDroppedFrames(base), {
      title: file === '-' ? 'Heap profile' : printable(path.basename(file!)),
      sampleIndex: checkSampleIndex(profile, sampleIndex, 'flame'),
    });
    await writeOutput(output, [page]);
    return 0;
  },
};

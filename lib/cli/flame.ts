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
  summary: 'write a flame graph as a page for the browser',
  usage: 'flame [options] FILE -o OUT.html',
  details: `FILE is a profile as text or protobuf, gzipped or not; - reads standard input.
The page is one file and needs no network. Click a frame to zoom; you can search and switch between the figures.
With --base, colours show what grew and what shrank.`,
  operands: 'file',
  async run(args) {
    const [file] = expectOperands(args, ['FILE'], 'flame');
    const { output, sampleIndex } = args.values as { output?: string; sampleIndex: string };
    if (output === undefined) throw new UsageError('the output file is missing: give -o OUT.html', 'flame');
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

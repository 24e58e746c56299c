import { gzipSync } from 'node:zlib';
import { formatHeapProfile } from '../formats/devtools/encode.js';
import { formatFolded } from '../formats/folded.js';
import { encodeProto } from '../formats/pprof/encode.js';
import type { ParsedProfile } from '../profile/model.js';
import type { Command } from './command.js';
import { outputOption } from './flame.js';
import { formatProfileText } from './heap-text.js';
import { helpOption, parseChoice, UsageError } from './options.js';
import { loadProfile, writeOutput } from './profile-file.js';
import { checkSampleIndex, expectOperands, sampleIndexOf, sampleIndexOption } from './report-commands.js';

const formats = ['pb.gz', 'txt', 'heapprofile', 'folded'] as const;
type Format = (typeof formats)[number];

function encode(profile: ParsedProfile, format: Format, index: number): string | Uint8Array {
  const { type } = profile.sampleTypes[index]!;
  switch (format) {
    case 'pb.gz':
      return gzipSync(encodeProto(profile));
    case 'txt':
      return formatProfileText(profile);
    case 'heapprofile':
      return formatHeapProfile(profile, type);
    case 'folded':
      return formatFolded(profile, type);
  }
}

function formatOf(output: string): Format {
  const format = formats.find((each) => output.toLowerCase().endsWith(`.${each}`));
  if (format === undefined) {
    throw new UsageError(
      `-o must end in ${formats.map((each) => `.${each}`).join(', ')}; or say --format`,
      'convert',
    );
  }
  return format;
}

export const convert: Command = {
  name: 'convert',
  summary: 'write a profile in another form',
  usage: `convert [options] FILE -o OUT.(${formats.join('|')})`,
  details: `FILE is a profile in text or proto form, gzipped or not; - reads standard input.
pb.gz is for pprof, heapprofile for Chrome DevTools, folded for flame-graph tools; these two have figures of one kind,
that of --sample_index.`,
  options: {
    ...outputOption,
    format: { value: 'FORMAT', help: `${formats.join(', ')}; else by the name of OUT`, complete: formats },
    ...sampleIndexOption,
    ...helpOption,
  },
  operands: 'file',
  async run(args) {
    const [file] = expectOperands(args, ['FILE'], 'convert');
    const { output, format: asked } = args.values;
    if (typeof output !== 'string' || output === '')
      throw new UsageError('say where to with -o OUT', 'convert');
    const format =
      typeof asked === 'string' ? parseChoice(asked, 'format', formats, 'convert') : formatOf(output);
    // From text to text, figures stay as they are.
    const profile = await loadProfile(file!, format === 'txt' ? { scaling: 'none' } : {});
    const index = checkSampleIndex(profile, sampleIndexOf(args), 'convert');
    await writeOutput(output, [encode(profile, format, index)]);
    return 0;
  },
};

import { gzipSync } from 'node:zlib';
import { encodeProto } from '../formats/proto.js';
import type { ParsedProfile } from '../readers/profile-model.js';
import type { Command } from './command.js';
import { outputOption } from './flame.js';
import { helpOption, parseChoice, UsageError } from './options.js';
import { loadProfile, writeOutput } from './profile-file.js';
import { checkSampleIndex, expectOperands, sampleIndexOf, sampleIndexOption } from './report-commands.js';

const formats = ['pb.gz', 'txt', 'heapprofile', 'folded'] as const;
type Format = (typeof formats)[number];

function encode(profile: ParsedProfile, format: Format, _index: number): string | Uint8Array {
  switch (format) {
    case 'pb.gz':
      return gzipSync(encodeProto(profile));
    default:
      throw new Error('not built yet');
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
  details: '',
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
    const profile = await loadProfile(file!);
    const index = checkSampleIndex(profile, sampleIndexOf(args), 'convert');
    await writeOutput(output, [encode(profile, format, index)]);
    return 0;
  },
};

import { gzipSync } from 'node:zlib';
import { type ConvertFormat, convertFormats } from '../base/choices.js';
import { formatHeapProfile } from '../formats/devtools/encode.js';
import { formatFolded } from '../formats/folded.js';
import { encodeProto } from '../formats/pprof/encode.js';
import type { ProfileData } from '../profile/model.js';
import type { Command } from './command.js';
import { formatProfileText } from './heap-text.js';
import { lossesOf } from './losses.js';
import { UsageError } from './options.js';
import { writeOutput } from './profile-file.js';
import { checkSampleIndex, expectFiles } from './report-commands.js';
import { checkStandardInput, loadSum, SOURCES } from './sources.js';

/** `type` is the value to write in formats that hold only one. */
function encode(profile: ProfileData, format: ConvertFormat, type: string): string | Uint8Array {
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

function formatOf(output: string): ConvertFormat {
  const format = convertFormats.find((each) => output.toLowerCase().endsWith(`.${each}`));
  if (format === undefined) {
    throw new UsageError(
      `the name after -o must end in ${convertFormats.map((each) => `.${each}`).join(', ')}; or give --format`,
      'convert',
    );
  }
  return format;
}

export const convert: Command = {
  name: 'convert',
  summary: 'write a profile in another format',
  usage: `convert [options] FILE... -o OUT.(${convertFormats.join('|')})`,
  details: `${SOURCES}
pb.gz is for pprof, heapprofile for Chrome DevTools, folded for flame-graph tools. heapprofile and folded hold one kind
of figures, which --sample-index chooses; pb.gz holds all, and --sample-index chooses which pprof shows first. What a form cannot hold is listed on standard
error.`,
  operands: 'file',
  async run(args) {
    const files = expectFiles(args, 'convert');
    checkStandardInput(files, 'convert');
    const values = args.values as { output?: string; format?: ConvertFormat; sampleIndex: string };
    const { output, sampleIndex } = values;
    if (output === undefined) throw new UsageError('the output file is missing: give -o OUT', 'convert');
    const format = values.format ?? formatOf(output);
    if (format === 'txt' && args.given.has('sampleIndex')) {
      throw new UsageError('--sample-index has no effect on txt, which holds all figures', 'convert');
    }
    // From text to text, keep the figures unscaled; but those of several texts may be sampled at several intervals.
    const asItIs = format === 'txt' && files.length === 1;
    const profile = await loadSum(files, asItIs ? { scaling: 'none' } : {});
    const { type } = profile.sampleTypes[checkSampleIndex(profile, sampleIndex, 'convert')]!;
    const shown = args.given.has('sampleIndex') ? { ...profile, defaultSampleType: type } : profile;
    await writeOutput(output, [encode(shown, format, type)]);
    const lost = lossesOf(profile, format, type);
    if (lost.length > 0) process.stderr.write(`memprof: ${format} does not hold ${lost.join('; ')}\n`);
    return 0;
  },
};

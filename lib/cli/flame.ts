import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { foldInternals } from '../analysis/internals.js';
import { cutDroppedFrames } from '../analysis/prune.js';
import { printable } from '../base/text.js';
import { type FlamePageOptions, formatFlamePage } from '../flame/page.js';
import { encodeProto } from '../formats/pprof/encode.js';
import type { ProfileData } from '../profile/model.js';
import { withCommonUnits } from '../profile/units.js';
import type { Command } from './command.js';
import { type Arguments, UsageError } from './options.js';
import { writeOutput } from './profile-file.js';
import { checkSampleIndex, expectFiles, loadWithBase } from './report-commands.js';
import { comparing, SOURCES } from './sources.js';

export const flame: Command = {
  name: 'flame',
  summary: 'write a flame graph as a page for the browser',
  usage: 'flame [options] FILE... -o OUT.html',
  details: `${SOURCES}
The page is one file and needs no network. It has a table of functions beside the graph, which can be turned upside down or
show the callers and callees of one function. With --base, colours show what grew and what shrank.`,
  operands: 'file',
  async run(args) {
    const files = expectFiles(args, 'flame');
    const output = args.values.output as string | undefined;
    if (output === undefined) throw new UsageError('the output file is missing: give -o OUT.html', 'flame');
    await writeOutput(output, [await makeFlamePage(args, files, 'flame')]);
    return 0;
  },
};

/** The page of what the files have in all, less the base that is given. */
export async function makeFlamePage(
  args: Arguments,
  files: readonly string[],
  command: string,
  live = false,
): Promise<string> {
  const { sampleIndex, showInternals, lines } = args.values as {
    sampleIndex: string;
    showInternals: boolean;
    lines: boolean;
  };
  const loaded = await loadWithBase(args, files, command);
  const known = loaded.filter((each) => each !== undefined);
  const [profile, base] = comparing(() => withCommonUnits(known)) as typeof loaded;
  const show = (each: ProfileData) => {
    const cut = cutDroppedFrames(each);
    return showInternals ? cut : foldInternals(cut);
  };
  return formatFlamePage(show(profile), base && show(base), {
    title: titleOf(files, args.values.base as readonly string[] | undefined),
    sampleIndex: checkSampleIndex(profile, sampleIndex, command),
    live,
    granularity: lines ? 'lines' : 'places',
    ...downloadOf(profile),
  });
}

function titleOf(files: readonly string[], base: readonly string[] = []): string {
  const named = (some: readonly string[]) =>
    some[0] === '-' ? 'Heap profile' : some.map((file) => path.basename(file)).join(' + ');
  return printable(base.length === 0 ? named(files) : `${named(files)} compared with ${named(base)}`);
}

// A page is to stay small enough to be sent.
const MOST_BYTES = 1_000_000;

/** The profile itself, inside the page. */
function downloadOf(profile: ProfileData): Pick<FlamePageOptions, 'download'> {
  const bytes = gzipSync(encodeProto(profile));
  if (bytes.length > MOST_BYTES) return {};
  const href = `data:application/octet-stream;base64,${bytes.toString('base64')}`;
  return { download: { href, name: 'profile.pb.gz' } };
}

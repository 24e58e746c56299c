import { formatRaw } from '../analysis/raw.js';
import type { View } from '../analysis/report.js';
import { viewOf } from '../analysis/report.js';
import { formatTags, formatTraces } from '../analysis/sample-reports.js';
import type { Granularity } from '../base/choices.js';
import type { CommandName } from '../base/command-options.js';
import type { Command } from './command.js';
import type { Arguments } from './options.js';
import { writeOutput } from './profile-file.js';
import { checkSampleIndex, expectFiles, filtersOf, loadPrepared } from './report-commands.js';
import { SOURCES } from './sources.js';

async function load(args: Arguments, command: CommandName): Promise<View> {
  const files = expectFiles(args, command);
  const filters = filtersOf(args, command);
  const { prepared } = await loadPrepared(args, files, command);
  const { sampleIndex = '' } = args.values as { sampleIndex?: string };
  checkSampleIndex(prepared.head, sampleIndex, command);
  const view = viewOf(prepared, sampleIndex, filters);
  for (const warning of view.warnings) process.stderr.write(`memprof: ${warning}\n`);
  return view;
}

export const traces: Command = {
  name: 'traces',
  summary: 'list the samples, each with its labels and its stack',
  usage: 'traces [options] FILE...',
  details: `${SOURCES}\nThe list is the one that "go tool pprof -traces" prints.`,
  operands: 'file',
  async run(args) {
    const { granularity } = args.values as { granularity: Granularity };
    await writeOutput('-', inChunks(formatTraces(await load(args, 'traces'), granularity)));
    return 0;
  },
};

export const tags: Command = {
  name: 'tags',
  summary: 'add samples up by their labels',
  usage: 'tags [options] FILE...',
  details: `${SOURCES}\nThe table is the one that "go tool pprof -tags" prints.`,
  operands: 'file',
  async run(args) {
    await writeOutput('-', [formatTags(await load(args, 'tags'))]);
    return 0;
  },
};

export const raw: Command = {
  name: 'raw',
  summary: 'print all of a profile as text',
  usage: 'raw [options] FILE...',
  details: `${SOURCES}\nThe text is the one that "go tool pprof -raw" prints.`,
  operands: 'file',
  async run(args) {
    await writeOutput('-', inChunks(formatRaw((await load(args, 'raw')).profile)));
    return 0;
  },
};

const CHUNK = 1 << 16;

function* inChunks(parts: Iterable<string>): Generator<string> {
  let chunk = '';
  for (const part of parts) {
    chunk += part;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

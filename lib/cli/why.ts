import type { Explanation } from '../analysis/explain.js';
import { formatCost, formatExplanation } from '../analysis/explain-text.js';
import type { SnapshotCost } from '../analysis/snapshot-cost.js';
import { isUrl, pageUrl } from './addresses.js';
import type { Command } from './command.js';
import { fetchPage } from './fetch-page.js';
import { UsageError } from './options.js';
import { writeOutput } from './profile-file.js';
import { expectOperands } from './report-commands.js';

const NAME = 'why';

interface Values {
  site?: string;
  limit: number;
  thread?: number;
  yes: boolean;
  json: boolean;
}

export const why: Command = {
  name: NAME,
  summary: 'show what holds the memory of a site in a running program',
  usage: `${NAME} [options] URL`,
  details: `URL is that of any of memprof's pages, such as http://HOST:6060/debug/pprof/.
The program takes a snapshot of its heap, which stops the thread and takes memory: the command says how much before,
and refuses heaps of more than 128 MB unless you give --yes. The snapshot never leaves the program. It finds the objects
behind the samples of the site, and prints what holds them. Paths of the same shape are shown as one, with their share
of the samples. The program must take its samples itself (directSamples).`,
  operands: [],
  async run(args) {
    const [address] = expectOperands(args, ['URL'], NAME);
    if (!isUrl(address!)) throw new UsageError('give the URL of a running program', NAME);
    const { site, limit, thread, yes, json } = args.values as unknown as Values;
    const page = (parameters: Record<string, string>) => pageUrl(address!, 'why', parameters);
    const cost = JSON.parse(await fetchPage(page({ cost: '1' }))) as SnapshotCost;
    process.stderr.write(`memprof: ${formatCost(cost)}\n`);
    const answer = await fetchPage(
      page({
        limit: String(limit),
        ...(site === undefined ? {} : { site }),
        ...(thread === undefined ? {} : { thread: String(thread) }),
        ...(yes ? { yes: '1' } : {}),
      }),
    );
    const text = json ? `${answer}\n` : formatExplanation(JSON.parse(answer) as Explanation);
    await writeOutput('-', [text]);
    return 0;
  },
};

import { existsSync } from 'node:fs';
import { memoryOf } from '../analysis/memory-breakdown.js';
import { formatMemoryText } from '../analysis/memory-text.js';
import type { MemoryBreakdown } from '../analysis/memory-types.js';
import { printable } from '../base/text.js';
import { isUrl, pageUrl } from './addresses.js';
import type { Command } from './command.js';
import { fetchPage } from './fetch-page.js';
import { UsageError } from './options.js';
import { Failure } from './profile-file.js';

const details = `URL is where a program serves memprof's pages (http://127.0.0.1:6060, or what ends in /debug/pprof/). The
program then examines its own memory: V8's spaces, Buffers, what malloc has in use and what it keeps free, stacks, files.
A process that is given by its PID is examined from outside (on Linux only), where less can be seen; it need not use
memprof at all.`;

async function breakdownOf(operand: string, gc: boolean): Promise<MemoryBreakdown> {
  if (isUrl(operand)) {
    const found = JSON.parse(await fetchPage(pageUrl(operand, 'memory', gc ? { gc: '1' } : {}))) as unknown;
    if (Array.isArray((found as MemoryBreakdown | null)?.parts)) return found as MemoryBreakdown;
    throw new Failure(`${printable(operand)}: there is no memory page of memprof`);
  }
  if (!/^[1-9]\d{0,9}$/.test(operand)) {
    throw new UsageError(`${printable(operand)} is neither a process id nor a URL`, 'memory');
  }
  if (gc)
    throw new UsageError('--gc needs a URL: a garbage collection cannot be requested from outside', 'memory');
  const breakdown = await memoryOf(Number(operand));
  if (breakdown.rss === 0) {
    const isGone = process.platform === 'linux' && !existsSync(`/proc/${operand}`);
    const [problem = 'nothing is known'] = breakdown.problems;
    throw new Failure(isGone ? `there is no process ${operand}` : printable(problem));
  }
  return breakdown;
}

export const memory: Command = {
  name: 'memory',
  summary: 'say what the resident memory of a program is',
  usage: 'memory [options] PID|URL',
  details,
  operands: [],
  async run({ values, operands }) {
    const [operand, ...more] = operands;
    if (operand === undefined || more.length > 0) {
      throw new UsageError('expected one process id or URL', 'memory');
    }
    const breakdown = await breakdownOf(operand, values.gc === true);
    process.stdout.write(
      values.json === true ? `${JSON.stringify(breakdown, null, 2)}\n` : formatMemoryText(breakdown),
    );
    return 0;
  },
};

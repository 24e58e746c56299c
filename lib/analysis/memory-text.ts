import type { MemoryBreakdown } from './memory-types.js';
import { formatShare, formatValue } from './units.js';

/** The breakdown as text, for people: what `memprof memory` prints. */
export function formatMemoryText(of: MemoryBreakdown): string {
  const { pid, rss, parts, verdict, problems } = of;
  const rows = parts.flatMap(({ bytes, title, detail }) => [
    row(bytes, rss, title),
    ...detail
      .split('; ')
      .filter((each) => each !== '')
      .map((each) => `${' '.repeat(22)}${each}\n`),
  ]);
  return [
    `Process ${pid}: ${formatValue(rss, 'bytes')} resident, ${of.threads} threads\n\n`,
    ...rows,
    `${row(rss, rss, 'together')}\n`,
    `${verdict.text}\n`,
    ...verdict.advice.map((each) => `- ${each}\n`),
    ...(problems.length === 0 ? [] : ['\nNot known:\n', ...problems.map((each) => `- ${each}\n`)]),
  ].join('');
}

function row(bytes: number, rss: number, title: string): string {
  return `${formatValue(bytes, 'bytes').padStart(10)}  ${formatShare(bytes, rss).padStart(6)}  ${title}\n`;
}

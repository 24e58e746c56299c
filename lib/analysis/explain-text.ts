import { printable } from '../base/text.js';
import type { Explanation, SiteExplanation } from './explain.js';
import type { SnapshotCost } from './snapshot-cost.js';
import { formatValue } from './units.js';

/** What a snapshot will cost, in one line. */
export function formatCost({ heapBytes, objects, milliseconds, bytes }: SnapshotCost): string {
  return (
    `a snapshot of ${formatValue(heapBytes, 'bytes')} of heap (some ${Number(objects.toPrecision(2))} objects) stops the thread for about ` +
    `${formatValue(milliseconds * 1e6, 'nanoseconds')} and takes about ${formatValue(bytes, 'bytes')} of memory meanwhile`
  );
}

/** An explanation as `memprof why` prints it. */
export function formatExplanation({ thread, sites, snapshot }: Explanation): string {
  const lines = sites.flatMap(siteLines);
  if (sites.length === 0) lines.push('No site that matches has anything in use.');
  const { nodes, snapshotMs, walkMs } = snapshot;
  lines.push(
    `snapshot of thread ${thread}: ${nodes} objects; it stood still for ${formatValue((snapshotMs + walkMs) * 1e6, 'nanoseconds')}`,
  );
  return `${lines.join('\n')}\n`;
}

const SHOWN_PATHS = 5;
const SHOWN_KINDS = 4;
const SHOWN_LINES = 5;

function siteLines(explained: SiteExplanation): string[] {
  const { site, lines: own, bytes, bytesError, samples, reached, paths, notHeld } = explained;
  const size = `${formatValue(bytes, 'bytes')} ± ${formatValue(bytesError, 'bytes')}`;
  const lines = [
    `${printable(site)}${linesOf(own)}    ${size} in use, ${count(samples, 'sample')}, ${reached} reached`,
    ...paths.slice(0, SHOWN_PATHS).flatMap(({ path, share, shareError, kinds, place }) => {
      const shown = kinds.slice(0, SHOWN_KINDS).map((each) => `${each.samples} ${each.kind}`);
      const where = place === null || place.lineNumber === 0 ? '' : `; ${place.fileName}:${place.lineNumber}`;
      return [
        `  ${percent(share).padStart(5)} ± ${percent(shareError)}  ${printable(path)}`,
        `                 ${printable(`${shown.join(', ')}${where}`)}`,
      ];
    }),
  ];
  const rest = paths.slice(SHOWN_PATHS).reduce((sum, { share }) => sum + share, 0);
  if (rest > 0) lines.push(`  ${percent(rest).padStart(5)}  other paths`);
  if (notHeld.samples > 0) {
    lines.push(`  not held by anything: ${percent(notHeld.share)} (garbage at that moment)`);
  }
  return [...lines, ''];
}

function linesOf(own: readonly number[]): string {
  if (own.length === 0) return '';
  return ` (${own.length === 1 ? 'line' : 'lines'} ${own.slice(0, SHOWN_LINES).join(', ')}${own.length > SHOWN_LINES ? ' …' : ''})`;
}

function percent(share: number): string {
  const value = share * 100;
  return `${(value > 0 && value < 1) || (value > 99 && value < 100) ? value.toFixed(1) : Math.round(value)} %`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

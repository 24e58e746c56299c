import type { NativeCount } from '../addon/native.js';
import { withSourcesSync } from '../capture/source-maps.js';
import type { Frame, MemProfileRecord } from '../profile/public-types.js';
import { makeFrame } from '../sampler/frames.js';
import { isOurs } from './bracket.js';
import type { AllocationSite } from './types.js';

const MAX_SITES = 20;

interface StackTotal {
  stack: Readonly<Frame>[];
  events: number;
  bytes: number;
}

/** Adds up the sites of several counts, by stack. */
export class SiteTotals {
  readonly #totals = new Map<string, StackTotal>();

  /** With `sign` -1, subtracts what the measurement itself allocated. */
  add(count: NativeCount, sign: 1 | -1 = 1): void {
    for (const { events, bytes, frames } of count.sites) {
      const end = frames.findIndex(([, url]) => isOurs(url));
      // Drop our own frames at the root. If our loop itself allocated, its frame is the leaf and stays.
      const own = end <= 0 ? frames.slice(0, end === 0 ? 1 : frames.length) : frames.slice(0, end);
      const key = own.map((frame) => frame.join('\0')).join('\n');
      let total = this.#totals.get(key);
      if (total === undefined) {
        total = { stack: own.map(toFrame), events: 0, bytes: 0 };
        this.#totals.set(key, total);
      }
      total.events += events * sign;
      total.bytes += bytes * sign;
    }
  }

  get bytes(): number {
    let bytes = 0;
    for (const total of this.#totals.values()) bytes += total.bytes;
    return bytes;
  }

  /** Lists functions, those with the most bytes first. Files and lines are those of the sources if there is a source map. */
  list(calls: number): AllocationSite[] {
    const all = this.bytes;
    const byFunction = new Map<string, StackTotal[]>();
    for (const total of this.#totals.values()) {
      if (total.bytes <= 0) continue;
      const leaf = total.stack[0];
      const key =
        leaf === undefined
          ? ''
          : [leaf.functionName, leaf.fileName, leaf.lineNumber, leaf.columnNumber].join('\0');
      byFunction.set(key, [...(byFunction.get(key) ?? []), total]);
    }
    return [...byFunction.values()]
      .map((totals) => ({ totals, bytes: sum(totals, 'bytes') }))
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, MAX_SITES)
      .map(({ totals, bytes }) => {
        const largest = totals.reduce((a, b) => (b.bytes > a.bytes ? b : a));
        const stack = inSources(largest.stack);
        return {
          functionName: stack[0]?.functionName ?? '(no function)',
          fileName: stack[0]?.fileName ?? '',
          lineNumber: stack[0]?.lineNumber ?? 0,
          bytesPerOp: bytes / calls,
          allocsPerOp: sum(totals, 'events') / calls,
          share: bytes / all,
          stack,
        };
      });
  }
}

function sum(totals: readonly StackTotal[], figure: 'bytes' | 'events'): number {
  return totals.reduce((value, total) => value + total[figure], 0);
}

function toFrame([name, url, line, column]: NativeCount['sites'][number]['frames'][number]): Frame {
  return makeFrame([name, url, line, column, 0]);
}

function inSources(stack: readonly Readonly<Frame>[]): AllocationSite['stack'] {
  const [mapped] = withSourcesSync([{ stack: () => stack } as MemProfileRecord]);
  return mapped!.stack().map(({ address, ...frame }) => frame);
}

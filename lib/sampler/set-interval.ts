import { native } from '../addon/native.js';
import { memprofError } from '../base/errors.js';
import { interval } from '../base/option-kinds.js';
import type { SampleIntervalRange } from '../profile/public-types.js';

const kind = interval(1, 2 ** 30);

/** See lib/index.ts. */
export function setSampleInterval(value: number | SampleIntervalRange): void {
  kind.check(value, 'interval');
  const { finest, coarsest } = typeof value === 'object' ? value : { finest: value, coarsest: value };
  if (native().setSampleInterval(finest, coarsest)) return;
  throw memprofError(
    'ERR_MEMPROF_INTERVAL',
    'the sample interval can be changed only while memprof takes the samples itself: status().heap.sourceProblem says why it ' +
      'does not, unless directSamples was switched off',
  );
}

/** Reads the text form, `64k` or `64k..512k`; undefined if it is not valid. */
export function parseSampleInterval(text: string): number | SampleIntervalRange | undefined {
  return kind.parse(text.trim()) as number | SampleIntervalRange | undefined;
}

/** What a text must be. */
export const EXPECTED_INTERVAL: string = kind.expected;

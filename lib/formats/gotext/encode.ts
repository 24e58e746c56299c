import { meterOnThread } from '../../addon/meter-on-thread.js';
import type { Frame, MemProfileRecord, MemStats } from '../../profile/public-types.js';
import { UNKNOWN_STACK } from '../../profile/unknown-stack.js';
import { alignTabs } from './tab-writer.js';

export interface HeapTextOptions {
  /** Mean bytes between two samples: what readers scale the figures by. */
  sampleInterval: number;
  /**
   * What the header calls the profile: `heap` as Go does (`heap/N`, N twice the sample interval), the default, or
   * `heap_v2` (`heap_v2/N`, N the sample interval itself), which the Perl pprof needs where all of a bucket is freed.
   */
  header?: 'heap' | 'heap_v2';
}

/** Figures of a bucket as they are written; both of a pair are 0, or neither is. */
interface Figures {
  inUseObjects: bigint;
  inUseBytes: bigint;
  allocObjects: bigint;
  allocBytes: bigint;
}

interface ListedRecord extends Figures {
  stack: readonly Readonly<Frame>[];
}

interface FrameText {
  /** The return pc, with a space before it. */
  pc: string;
  comment: string;
}

const RING_LENGTH = 256;

// Go's readers refuse a profile with a line of 64 KiB or more. An escape takes up to 6 bytes, and a line has two names.
const MAX_NAME_LENGTH = 4096;

// Controls, line and paragraph separators, lone surrogates, bidirectional overrides and isolates.
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu;

const ESCAPES = new Map([
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\v', '\\v'],
  ['\f', '\\f'],
  ['\r', '\\r'],
]);

/**
 * Writes a heap profile in the text form of Go's `runtime/pprof` (`debug=1`): a line a bucket, sorted by in-use bytes
 * descending, with its stack in comments, then `runtime.MemStats`. Figures are raw sampled ones, in objects and bytes;
 * it is readers that scale them up. No frame is left out.
 *
 * A name cannot break its line: control characters and the like are written as escapes (`\n`, `\x00`, `\u2028`).
 */
export function formatHeapText(
  records: readonly MemProfileRecord[],
  memStats: MemStats,
  options: HeapTextOptions,
): string {
  return meterOnThread(() => formatText(records, memStats, options));
}

function formatText(
  records: readonly MemProfileRecord[],
  memStats: MemStats,
  options: HeapTextOptions,
): string {
  const listed = records.map(listRecord).sort(byInUseBytesDescending);
  const frameTexts = new Map<Readonly<Frame>, FrameText>();
  const parts = [formatHeader(listed, options)];
  for (const record of listed) parts.push(formatRecord(record, frameTexts));
  parts.push(formatMemStats(memStats));
  return parts.join('');
}

function listRecord(record: MemProfileRecord): ListedRecord {
  const stack = record.stack();
  const [inUseObjects, inUseBytes] = toPair(record.inUseObjects(), record.inUseBytes());
  const [allocObjects, allocBytes] = toPair(record.allocObjects, record.allocBytes);
  return {
    inUseObjects,
    inUseBytes,
    allocObjects,
    allocBytes,
    stack: stack.length === 0 ? UNKNOWN_STACK : stack,
  };
}

/** Readers refuse `0: 8` and divide by zero at `1: 0`. */
function toPair(objects: number, bytes: number): [bigint, bigint] {
  const pair: [bigint, bigint] = [toInteger(objects), toInteger(bytes)];
  return pair[0] > 0n && pair[1] > 0n ? pair : [0n, 0n];
}

function byInUseBytesDescending(a: ListedRecord, b: ListedRecord): number {
  if (a.inUseBytes === b.inUseBytes) return 0;
  return a.inUseBytes > b.inUseBytes ? -1 : 1;
}

function formatHeader(listed: readonly ListedRecord[], { sampleInterval, header }: HeapTextOptions): string {
  const total: Figures = { inUseObjects: 0n, inUseBytes: 0n, allocObjects: 0n, allocBytes: 0n };
  for (const record of listed) {
    total.inUseObjects += record.inUseObjects;
    total.inUseBytes += record.inUseBytes;
    total.allocObjects += record.allocObjects;
    total.allocBytes += record.allocBytes;
  }
  // As Go does, 0 and 0 included: with equal pairs, readers take the profile for one without alloc figures.
  if (total.inUseBytes === total.allocBytes) total.allocBytes++;
  const interval = toInteger(sampleInterval);
  const kind = header === 'heap_v2' ? `heap_v2/${interval}` : `heap/${interval * 2n}`;
  return `heap profile: ${formatFigures(total)} @ ${kind}\n`;
}

function formatRecord(record: ListedRecord, frameTexts: Map<Readonly<Frame>, FrameText>): string {
  let pcs = '';
  let comments = '';
  let inlined = false;
  for (const frame of record.stack) {
    let text = frameTexts.get(frame);
    if (text === undefined) {
      text = formatFrame(frame);
      frameTexts.set(frame, text);
    }
    // As in Go's text, calls that were inlined have comments of their own and one pc.
    if (!inlined) pcs += text.pc;
    inlined = frame.inlined === true;
    comments += text.comment;
  }
  return `${formatFigures(record)} @${pcs}\n${alignTabs(comments)}\n`;
}

function formatFigures({ inUseObjects, inUseBytes, allocObjects, allocBytes }: Figures): string {
  return `${inUseObjects}: ${inUseBytes} [${allocObjects}: ${allocBytes}]`;
}

/** A line of the record names the return pc, the comment the call itself: one less, as in Go. */
function formatFrame({ address, functionName, fileName, lineNumber }: Readonly<Frame>): FrameText {
  const call = toInteger(address);
  const name = toCell(functionName) || '(anonymous)';
  const file = toCell(fileName) || '?';
  return {
    pc: ` 0x${(call + 1n).toString(16)}`,
    comment: `#\t0x${call.toString(16)}\t${name}+0x0\t${file}:${toInteger(lineNumber)}\n`,
  };
}

function toCell(name: string): string {
  const kept = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
  return kept.replace(UNSAFE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  return ESCAPES.get(character) ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex}`);
}

function formatMemStats(stats: MemStats): string {
  const lines: [string, string | bigint][] = [
    ['Alloc', toInteger(stats.alloc)],
    ['TotalAlloc', toInteger(stats.totalAlloc)],
    ['Sys', toInteger(stats.sys)],
    ['Lookups', toInteger(stats.lookups)],
    ['Mallocs', toInteger(stats.mallocs)],
    ['Frees', toInteger(stats.frees)],
    ['HeapAlloc', toInteger(stats.heapAlloc)],
    ['HeapSys', toInteger(stats.heapSys)],
    ['HeapIdle', toInteger(stats.heapIdle)],
    ['HeapInuse', toInteger(stats.heapInuse)],
    ['HeapReleased', toInteger(stats.heapReleased)],
    ['HeapObjects', toInteger(stats.heapObjects)],
    ['Stack', `${toInteger(stats.stackInuse)} / ${toInteger(stats.stackSys)}`],
    ['MSpan', `${toInteger(stats.mSpanInuse)} / ${toInteger(stats.mSpanSys)}`],
    ['MCache', `${toInteger(stats.mCacheInuse)} / ${toInteger(stats.mCacheSys)}`],
    ['BuckHashSys', toInteger(stats.buckHashSys)],
    ['GCSys', toInteger(stats.gcSys)],
    ['OtherSys', toInteger(stats.otherSys)],
    ['NextGC', toInteger(stats.nextGC)],
    ['LastGC', toInteger(stats.lastGC)],
    ['PauseNs', formatRing(stats.pauseNs)],
    ['PauseEnd', formatRing(stats.pauseEnd)],
    ['NumGC', toInteger(stats.numGC)],
    ['NumForcedGC', toInteger(stats.numForcedGC)],
    ['GCCPUFraction', formatFloat(stats.gcCPUFraction)],
    ['DebugGC', String(stats.debugGC)],
    ['MaxRSS', toInteger(stats.maxRSS)],
  ];
  return `\n# runtime.MemStats\n${lines.map(([name, value]) => `# ${name} = ${value}\n`).join('')}`;
}

/** Go's ring has 256 entries, used or not. */
function formatRing(ring: readonly number[]): string {
  return `[${Array.from({ length: RING_LENGTH }, (_, index) => toInteger(ring[index] ?? 0)).join(' ')}]`;
}

/** No figure of a profile is negative; what is not a number at all counts as 0. */
function toInteger(value: number): bigint {
  return Number.isFinite(value) && value > 0 ? BigInt(Math.trunc(value)) : 0n;
}

/** `%v` of a Go float64: the shortest digits, with an exponent below 1e-4 and from 1e6 up. */
function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const [digits = '0', exponent = '0'] = value.toExponential().split('e');
  if (Number(exponent) >= -4 && Number(exponent) < 6) return String(value);
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

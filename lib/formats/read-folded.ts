import { NO_LABELS } from '../profile/labels.js';
import { Allowance, LIMITS } from '../profile/limits.js';
import type { ProfileData, ProfileFrame, Sample } from '../profile/model.js';
import type { Lines } from './gotext/lines.js';

const LINE = /^(.*[^ ]) +(-?\d{1,19})$/;
/** As memprof writes it: a name, and where it is. */
const PLACE = /^(.+) \((.+):(\d{1,9})\)$/;

export function isFolded(firstLine: string): boolean {
  return LINE.test(firstLine) && !/[\p{Cc}]/u.test(firstLine);
}

/** Reads collapsed stacks, `root;…;leaf value`. What the values count is not in the file: they are taken for bytes. */
export function readFolded(lines: Lines): ProfileData {
  const records = new Allowance(LIMITS.samples, 'stacks');
  const frameCount = new Allowance(LIMITS.frames, 'frames');
  const names = new Allowance(LIMITS.functions, 'functions');
  const frames = new Map<string, Readonly<ProfileFrame>>();
  const samples: Sample[] = [];
  while (lines.next()) {
    const text = lines.utf8();
    if (text === '') continue;
    const line = LINE.exec(text);
    if (line === null) throw lines.error("a stack and its value, such as 'main;handle;parse 1024'");
    records.take();
    const exact = BigInt(line[2]!);
    if (BigInt.asIntN(64, exact) !== exact) throw lines.error('a value of 64 bits');
    const stack = line[1]!.split(';').reverse();
    frameCount.take(stack.length);
    samples.push({
      values: [Number(exact)],
      ...(BigInt(Number(exact)) !== exact && { exactValues: [exact] }),
      stack: stack.map((name) => {
        let frame = frames.get(name);
        if (frame === undefined) {
          names.take();
          frame = frameOf(name);
          frames.set(name, frame);
        }
        return frame;
      }),
      labels: NO_LABELS,
      numLabels: NO_LABELS,
    });
  }
  return {
    format: 'folded',
    sampleTypes: [{ type: 'space', unit: 'bytes' }],
    defaultSampleType: 'space',
    periodType: { type: 'space', unit: 'bytes' },
    period: 0,
    comments: [],
    mappings: [],
    samples,
  };
}

function frameOf(name: string): ProfileFrame {
  const place = PLACE.exec(name);
  if (place === null) return { functionName: name, fileName: '', lineNumber: 0, address: 0 };
  return { functionName: place[1]!, fileName: place[2]!, lineNumber: Number(place[3]), address: 0 };
}

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's `golang`; tests that compare with it are skipped where it is not installed. */
export const hasGo = spawnSync('go', ['version']).status === 0;

export interface GoSample {
  values: number[];
  locations: number[];
  labels: Record<string, string>;
}

export interface GoProfile {
  text: string;
  types: string[];
  period: number;
  samples: GoSample[];
  /** By location id, each with its lines (`name file:line s=start`). */
  locations: Map<number, { address: number; lines: string[] }>;
}

function run(folder: string, args: string[]): string {
  return execFileSync('go', ['tool', 'pprof', '-symbolize=none', ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PPROF_TMPDIR: folder, HOME: folder },
  });
}

/** What `go tool pprof -raw` understands of a profile. Throws if Go refuses it. */
export function goRaw(folder: string, bytes: Uint8Array): GoProfile {
  const file = join(folder, 'raw.pprof');
  writeFileSync(file, bytes);
  const text = run(folder, ['-raw', file]);
  const [head = '', rest = ''] = text.split(/^Samples:\n/m);
  const [sampleText = '', afterSamples = ''] = rest.split(/^Locations\n/m);
  const [locationText = ''] = afterSamples.split(/^Mappings\n/m);
  const [types = '', ...sampleLines] = sampleText.split('\n');
  const samples: GoSample[] = [];
  for (const line of sampleLines) {
    const sample = /^ *(-?\d+(?: +-?\d+)*):((?: \d+)*) ?$/.exec(line);
    const label = /^ +(\w+):\[(.*)\] *$/.exec(line);
    if (sample !== null) {
      const numbers = (list: string) => list.trim().split(/ +/).filter(Boolean).map(Number);
      samples.push({ values: numbers(sample[1]!), locations: numbers(sample[2]!), labels: {} });
    } else if (label !== null) {
      samples.at(-1)!.labels[label[1]!] = label[2]!;
    }
  }
  const locations: GoProfile['locations'] = new Map();
  let last: string[] = [];
  for (const line of locationText.split('\n')) {
    const location = /^ *(\d+): 0x([0-9a-f]+)(?: M=\d+)?(?: (.*))?$/.exec(line);
    if (location !== null) {
      last = location[3] === undefined || location[3] === '' ? [] : [location[3].trim()];
      locations.set(Number(location[1]), { address: Number.parseInt(location[2]!, 16), lines: last });
    } else if (line.trim() !== '') {
      last.push(line.trim());
    }
  }
  return {
    text,
    types: types.trim().split(/ +/),
    period: Number(/^Period: (\d+)$/m.exec(head)?.[1] ?? 0),
    samples,
    locations,
  };
}

/** The rows of `go tool pprof -top`, without its head; in the smallest unit. */
export function goTop(
  folder: string,
  bytes: Uint8Array,
  sampleIndex: string,
  ...options: string[]
): string[] {
  const file = join(folder, 'top.pprof');
  writeFileSync(file, bytes);
  const unit = sampleIndex.endsWith('space') ? 'B' : 'count';
  const args = ['-top', `-sample_index=${sampleIndex}`, `-unit=${unit}`, '-nodecount=10', ...options, file];
  return run(folder, args)
    .split('\n')
    .filter((line) => /^ *-?\d/.test(line))
    .map((line) => line.trim().replace(/ +/g, ' '));
}

/** What `go tool pprof -tags` says of the labels of a profile. */
export function goTags(folder: string, bytes: Uint8Array): string {
  const file = join(folder, 'tags.pprof');
  writeFileSync(file, bytes);
  return run(folder, ['-tags', file]);
}

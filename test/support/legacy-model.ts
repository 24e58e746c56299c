// Random legacy texts, and what Go's reader makes of them: a model that never parses, but knows what it wrote.

export interface ModelSample {
  values: bigint[];
  /** Of the calls. */
  addresses: bigint[];
  /** Which of the mappings each address is in; -1 for none. */
  mappings: number[];
  size: bigint;
}

export interface ModelMapping {
  start: bigint;
  limit: bigint;
  offset: bigint;
  file: string;
  build: string;
}

export interface LegacyCase {
  text: string;
  /** Undefined if the reader must refuse the text. */
  expected: { types: number; period: number; samples: ModelSample[]; mappings: ModelMapping[] } | undefined;
}

const MASK = 2n ** 64n - 1n;
const MAIN = 0x400000n;
/** A figure that is scaled to more, or to nothing that is a number, is this. */
const LARGEST = 2 ** 63 - 1024;

export class LegacyTexts {
  constructor(readonly random: () => number) {}

  #below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  #chance(share: number): boolean {
    return this.random() < share;
  }

  #spaces(): string {
    return ' '.repeat(this.#pick([0, 0, 1, 1, 1, 2, 7]));
  }

  #address(): bigint {
    const kind = this.#below(8);
    if (kind === 0) return BigInt(this.#below(3));
    if (kind === 1) return 0xffff_ffff_8000_0000n + BigInt(this.#below(1 << 20));
    if (kind === 2) return MASK - BigInt(this.#below(2));
    if (kind === 3) return 0x7f00_0000_0000n + BigInt(this.#below(1 << 24));
    return MAIN + BigInt(this.#below(0x30_0000));
  }

  #figure(): bigint {
    const kind = this.#below(12);
    if (kind === 0) return 0n;
    if (kind === 1) return 2n ** 53n + BigInt(this.#below(1000));
    if (kind === 2) return 2n ** 63n - 1n - BigInt(this.#below(3));
    return BigInt(this.#below(2 ** this.#below(31)));
  }

  /** Objects and bytes; both 0, or neither. */
  #pair(): [bigint, bigint] {
    const objects = this.#figure();
    return objects === 0n ? [0n, 0n] : [objects, this.#figure()];
  }

  next(): LegacyCase {
    const header = this.#header();
    const lines: string[] = [];
    const samples: ModelSample[] = [];
    let refused = false;
    for (let i = this.#below(9); i > 0; i--) {
      const [inUse, alloc] = [this.#pair(), this.#pair()];
      const negative = this.#chance(0.03);
      const shown: [bigint, bigint] = negative ? [-inUse[0], -inUse[1]] : inUse;
      const stack = Array.from({ length: this.#below(7) }, () => this.#address());
      const s = () => this.#spaces();
      const junk = this.#chance(0.05) ? 'junk ' : '';
      const addresses = stack
        .map((each) => `${' '.repeat(1 + this.#below(2))}0x${each.toString(16)}`)
        .join('');
      lines.push(
        `${s()}${junk}${shown[0]}:${s()}${shown[1]}${s()}[${s()}${alloc[0]}:${s()}${alloc[1]}${s()}] @${addresses}${s()}`,
      );
      const pairs = header.types === 4 ? [alloc, shown] : [shown];
      let size = 0n;
      for (const [objects, bytes] of pairs) if (objects !== 0n) size = bytes / objects;
      samples.push({
        values: pairs.flatMap(([objects, bytes]) =>
          scale(objects, bytes, header.scaled ? header.period : undefined),
        ),
        addresses: stack.map((each) => (each - 1n) & MASK),
        mappings: [],
        size,
      });
      while (this.#chance(0.15))
        lines.push(this.#pick(['', '   ', '# a comment', '#\t0x1\tf+0x0\tx.go:1', ' #']));
      if (this.#chance(0.01)) {
        refused = true;
        lines.push(
          this.#pick([
            'garbage',
            '1: 2 @ 0x1',
            '0: 8 [0: 0] @ 0x1',
            '1: 8 [1: 8] @ 0x10000000000000000',
            '99999999999999999999: 8 [1: 8] @ 0x1',
          ]),
        );
      }
    }
    const mappings = this.#chance(0.5) ? this.#memoryMap(lines) : [];
    const all = placed(samples, mappings);
    const end = this.#chance(0.2) ? '\r\n' : '\n';
    const text = [header.line, ...lines].join(end) + (this.#chance(0.9) ? end : '');
    if (refused) return { text, expected: undefined };
    return { text, expected: { types: header.types, period: header.period, samples, mappings: all } };
  }

  #header(): { line: string; types: number; period: number; scaled: boolean } {
    const [a, b] = [BigInt(this.#below(1000)), BigInt(this.#below(100_000))];
    const isSame = this.#chance(0.3);
    const zero = !isSame && this.#chance(0.1);
    const [c, d] = isSame ? [a, b] : zero ? [0n, 0n] : [a + 1n, b + 8n];
    const rate = this.#pick([0, 1, 2, 3, 512, 1024, 524_288, 1_048_576, 1_000_003]);
    const s = () => this.#spaces();
    const figures = `${s()}${a}:${s()}${b}${s()}[${s()}${c}:${s()}${d}${s()}]`;
    const hasAlloc = (c !== a && c !== 0n) || (d !== b && d !== 0n);
    const types = hasAlloc ? 4 : 2;
    const [type, period, scaled] = this.#pick([
      [`heap/${rate}`, Math.floor(rate / 2), true],
      [`heap_v2/${rate}`, rate, true],
      [`heapz_v2/${rate}`, rate, true],
      ['heap', 0, true],
      ['heapprofile', 1, false],
    ] as const);
    if (this.#chance(0.1)) {
      const growth = this.#pick(['growth', 'growthz', 'fragmentation', 'fragmentationz']);
      return { line: `heap profile:${figures} @ ${growth}`, types: 2, period: 1, scaled: false };
    }
    return { line: `heap profile:${figures}${s()}@${s()}${type}`, types, period, scaled };
  }

  #memoryMap(lines: string[]): ModelMapping[] {
    const before = this.#chance(0.1) ? 'x ' : '';
    lines.push(`${before}${this.#pick(['--- Memory map: ---', 'MAPPED_LIBRARIES:'])}`);
    const mappings: ModelMapping[] = [];
    const name = this.#chance(0.3) ? this.#pick(['build', 'root', 'b']) : undefined;
    if (name !== undefined) lines.push(`  ${name}=/opt/x `);
    const hex = (value: bigint) => value.toString(16).padStart(this.#pick([0, 8, 16]), '0');
    for (let i = this.#below(7); i > 0; i--) {
      const last = mappings.at(-1);
      const isNext = last !== undefined && this.#chance(0.3);
      const start = isNext ? last.limit : MAIN + BigInt(this.#below(0x300)) * 0x1000n;
      const limit = start + BigInt(1 + this.#below(0x100)) * 0x1000n;
      const offset = this.#chance(0.4) ? 0n : BigInt(this.#below(0x200)) * 0x1000n;
      const file = isNext
        ? last.file
        : this.#pick(['/bin/app', '/lib/x.so', '/lib/y.so.6', '[vdso]', '/anon_hugepage', '']);
      const shownFile = name !== undefined && file === '/bin/app' ? `$${name}/app` : file;
      const realFile = shownFile === file ? file : '/opt/x/app';
      const isExecutable = this.#chance(0.8);
      const range = `${hex(start)}-${hex(limit)}`;
      const brief = file !== '' && this.#chance(0.4);
      const build = brief && this.#chance(0.5) ? 'abc123' : '';
      if (brief) {
        lines.push(
          `  0x${range.replace('-', '-0x')}: ${shownFile}${offset === 0n ? '' : ` (@${offset.toString(16)})`}${build && ` ${build}`}`,
        );
      } else {
        const permissions = isExecutable ? 'r-xp' : 'rw-p';
        const prefix = this.#chance(0.1) ? 'I0102 03:04:05.678 12 x.cc:34] ' : '';
        lines.push(`${prefix}${range} ${permissions} ${hex(offset)} 08:01 1234 ${shownFile}`.trimEnd());
      }
      if (brief || isExecutable) mappings.push({ start, limit, offset, file: realFile, build });
      if (this.#chance(0.1)) lines.push(this.#pick(['', 'what is this', 'x=y']));
    }
    return mappings;
  }
}

function scale(objects: bigint, bytes: bigint, rate: number | undefined): [bigint, bigint] {
  if (rate === undefined || objects === 0n) return [objects, bytes];
  if (bytes === 0n) return [0n, 0n];
  if (rate <= 1) return [objects, bytes];
  const factor = 1 / (1 - Math.exp(-(Number(bytes) / Number(objects)) / rate));
  return [Number(objects) * factor, Number(bytes) * factor].map((each) =>
    BigInt(Math.trunc(Math.max(-LARGEST, Math.min(each, LARGEST)))),
  ) as [bigint, bigint];
}

/** Go's steps, one mapping after the other: massageMappings and remapMappingIDs. Returns all mappings at the end. */
function placed(samples: ModelSample[], found: ModelMapping[]): ModelMapping[] {
  const differ = (a: string, b: string) => a !== '' && b !== '' && a !== b;
  let mappings: ModelMapping[] = [];
  for (const each of found) {
    const last = mappings.at(-1);
    const adjacent =
      last !== undefined &&
      !differ(last.file, each.file) &&
      !differ(last.build, each.build) &&
      last.limit === each.start &&
      (last.offset === 0n || each.offset === 0n || last.offset + last.limit - last.start === each.offset);
    if (adjacent) {
      last.limit = each.limit;
      last.file = each.file || last.file;
      last.build = each.build || last.build;
    } else mappings.push({ ...each });
  }
  const main = mappings.findIndex(({ file }) => file !== '' && !/\.so(\.6)?$/.test(file) && file[0] !== '[');
  if (main > 0) [mappings[0], mappings[main]] = [mappings[main]!, mappings[0]!];
  if (mappings[0]?.file.startsWith('/anon_hugepage') && mappings[0].limit === mappings[1]?.start) {
    mappings = mappings.slice(1);
  }
  const [first] = mappings;
  if (first !== undefined && ((first.start - first.offset) & MASK) === MAIN) {
    first.start = MAIN;
    first.offset = 0n;
  }
  let fake: ModelMapping | undefined;
  const known = new Map<bigint, number>();
  for (const sample of samples) {
    sample.mappings = sample.addresses.map((address) => {
      const before = known.get(address);
      if (before !== undefined) return before;
      let at =
        address === 0n ? -1 : mappings.findIndex(({ start, limit }) => start <= address && address < limit);
      if (at === -1 && address !== 0n) {
        at = mappings.findIndex(
          ({ start, offset }) => offset !== 0n && ((start - offset) & MASK) <= address && address < start,
        );
        const moved = mappings[at];
        if (moved !== undefined) {
          moved.start = (moved.start - moved.offset) & MASK;
          moved.offset = 0n;
        } else {
          fake ??= { start: 0n, limit: MASK, offset: 0n, file: '', build: '' };
          at = mappings.length;
        }
      }
      known.set(address, at);
      return at;
    });
  }
  return fake === undefined ? mappings : [...mappings, fake];
}

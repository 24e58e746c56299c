import type { MemoryBreakdown, MemoryPartName, MemoryVerdict } from './memory-types.js';
import { formatValue } from './units.js';

const MB = 2 ** 20;
const size = (bytes: number) => formatValue(bytes, 'bytes');
const percent = (part: number, whole: number) => `${Math.round((100 * part) / whole)} %`;

/** From so many on, threads are worth a word. */
const MANY_THREADS = 8;

/** What is most of the memory beyond the program itself, and what to do about it. */
export function verdictOn(of: Omit<MemoryBreakdown, 'verdict'>): MemoryVerdict {
  const bytes = (name: MemoryPartName) => of.parts.find((part) => part.name === name)?.bytes ?? 0;
  // The program and its libraries are what every process has.
  const rest = of.rss - bytes('files') - bytes('code');
  const share = (name: MemoryPartName) =>
    `${size(bytes(name))}, ${percent(bytes(name), of.rss)} of ${size(of.rss)}`;
  if (rest < 40 * MB) {
    return {
      kind: 'program',
      text: `Nothing stands out: ${size(of.rss - rest)} of ${size(of.rss)} is the program itself, as in every process.`,
      advice: [],
    };
  }
  if (of.heap !== null && isOfThreads(of, bytes)) {
    const heaps = of.heap.threads + of.heap.uncovered;
    return {
      kind: 'threads',
      text: `Many threads: ${heaps} of them have a heap of their own, ${size(rest / heaps)} each with what belongs to it (${size(bytes('heap'))} of heaps).`,
      advice: [
        'Use fewer workers, or give them less to do with resourceLimits (maxYoungGenerationSizeMb, maxOldGenerationSizeMb).',
        ...(bytes('mallocFree') > rest / 8 ? [ARENAS] : []),
      ],
    };
  }
  const parts = of.parts.filter(({ name }) => name !== 'files' && name !== 'code');
  const largest = parts[0]!.name;
  // What is freed in small pieces between others cannot be given back: a third of what is in use is already much.
  const free = bytes('mallocFree');
  if (largest === 'mallocFree' || (free > 50 * MB && free > rest / 4)) return fragmentation(of, bytes, share);
  switch (largest) {
    case 'heap':
      return { kind: 'heap', text: `V8's heap: ${share('heap')}.`, advice: heapAdvice(of) };
    case 'buffers':
      return {
        kind: 'buffers',
        text: `Buffers and other external memory: ${share('buffers')}.`,
        advice: bufferAdvice(of),
      };
    case 'reserved':
      return {
        kind: 'reserved',
        text: `WebAssembly.Memory or resizable ArrayBuffers: ${share('reserved')}.`,
        advice: [
          'They never shrink by themselves: drop the last reference to the instance, and make it anew.',
        ],
      };
    case 'native':
      if (of.heap === null) {
        return {
          kind: 'native',
          text: `What malloc holds: ${share('native')}. From outside, Buffers cannot be told from other native memory.`,
          advice: [
            'memprof inside the program tells them apart: memprof attach PID, then memprof memory with the URL that it prints.',
          ],
        };
      }
      return {
        kind: 'native',
        text: `Native memory without a Buffer: ${share('native')}.`,
        advice: [
          'Native addons, or libraries of Node.js (zlib, TLS, ICU), hold it: no profile of JavaScript shows it.',
          'heaptrack, or jemalloc with MALLOC_CONF=prof:true, shows who allocates it.',
        ],
      };
    default:
      return {
        kind: 'unexplained',
        text: `${of.parts.find(({ name }) => name === largest)!.title}: ${share(largest)}.`,
        advice:
          largest === 'unexplained' ? ['Memory that a library mapped for itself: see /proc/PID/smaps.'] : [],
      };
  }
}

const ARENAS =
  'MALLOC_ARENA_MAX=2 limits the arenas among which malloc spreads threads; jemalloc (LD_PRELOAD) gives back more.';

function fragmentation(
  of: Omit<MemoryBreakdown, 'verdict'>,
  bytes: (name: MemoryPartName) => number,
  share: (name: MemoryPartName) => string,
): MemoryVerdict {
  return {
    kind: 'fragmentation',
    text: `Fragmentation: malloc keeps ${share('mallocFree')}, which is freed but not given back, beside ${size(bytes('native') + bytes('buffers'))} in use.`,
    advice: [
      of.malloc !== null && of.malloc.arenas.length > 16
        ? ARENAS
        : 'jemalloc (LD_PRELOAD) fragments less and gives back more; MALLOC_ARENA_MAX=2 helps where many threads allocate.',
      'malloc_trim(0) from an addon gives back whole pages that are free.',
    ],
  };
}

/** Threads are to blame if no single heap is most of the heaps, and these and what belongs to them most of the memory. */
function isOfThreads(
  { heap, rss }: Omit<MemoryBreakdown, 'verdict'>,
  bytes: (name: MemoryPartName) => number,
): boolean {
  const heaps = heap!.threads + heap!.uncovered;
  if (heaps < MANY_THREADS) return false;
  const ofThreads = bytes('heap') + bytes('stacks') + bytes('native') + bytes('mallocFree');
  return (
    ofThreads > (rss - bytes('files') - bytes('code')) / 2 &&
    bytes('heap') > rss / 6 &&
    heap!.largest < bytes('heap') / 2
  );
}

function heapAdvice({ heap }: Omit<MemoryBreakdown, 'verdict'>): string[] {
  if (heap === null) return ['memprof inside the program would say more: give the URL of its pages.'];
  const advice = ['The heap profile shows who holds it: memprof top, or /debug/pprof/heap.'];
  if (heap.garbage !== null && heap.garbage > heap.used / 2) {
    advice.unshift(
      `${size(heap.garbage)} was garbage: V8 collects late while it has room; --max-old-space-size makes it collect earlier.`,
    );
  } else if (heap.committed - heap.used > heap.committed / 2) {
    advice.unshift(
      `Only ${size(heap.used)} of ${size(heap.committed)} is used: V8 keeps pages of a heap that was larger, or whose objects lie scattered.`,
    );
  }
  return advice;
}

function bufferAdvice({ external }: Omit<MemoryBreakdown, 'verdict'>): string[] {
  if (external !== null && external.buffers !== null && external.buffers < external.bytes / 2) {
    return ['Most of it is no Buffer: external strings, which toString() makes of a megabyte or more.'];
  }
  return [
    'start({ buffers: true }) or memprof run --buffers shows who allocates them: /debug/pprof/buffers.',
  ];
}

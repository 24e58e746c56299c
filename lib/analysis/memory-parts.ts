import type { NativeMemory } from '../addon/native.js';
import type {
  ExternalMemory,
  HeapMemory,
  MallocMemory,
  MemoryBreakdown,
  MemoryPart,
  MemoryPartName,
} from './memory-types.js';
import { verdictOn } from './memory-verdict.js';
import { formatValue } from './units.js';

/** What is known of a process apart from its mappings. */
export interface MemoryFacts {
  pid: number;
  heap: HeapMemory | null;
  /** Resident bytes of the heaps as V8 counts them; 0 where that is not known. */
  heapResident: number;
  external: ExternalMemory | null;
  /** memprof's own tables, mapped, and its maps, from malloc. */
  own: { mapped: number; malloced: number };
  problems: string[];
}

const TITLES: Readonly<Record<MemoryPartName, string>> = {
  heap: "V8's heap",
  buffers: 'Buffers and other external memory',
  native: 'other native memory in use',
  mallocFree: 'freed, but kept by malloc',
  reserved: 'WebAssembly.Memory and resizable ArrayBuffers',
  code: 'compiled code',
  stacks: 'stacks of threads',
  files: 'files mapped: the program and libraries',
  shared: 'shared memory',
  memprof: 'memprof',
  unexplained: 'unexplained',
};

/** V8 may have committed some more since it told. */
const HEAP_SLACK = 1.02;
const WORTH_A_WORD = 2 ** 20;

const size = (bytes: number) => formatValue(bytes, 'bytes');

/** Takes resident memory apart. The parts add up to what the mappings are resident with. */
export function breakDown(native: NativeMemory, facts: MemoryFacts): MemoryBreakdown {
  const { map } = native;
  const malloc = mallocOf(native);
  const bytes = partsOf(native, malloc, facts);
  const details = detailsOf(native, malloc, facts, bytes);
  const parts: MemoryPart[] = (Object.keys(TITLES) as MemoryPartName[])
    .map((name) => ({
      name,
      bytes: bytes[name],
      title: titleOf(name, malloc, facts),
      detail: details[name] ?? '',
    }))
    .filter((part) => part.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
  const breakdown = {
    pid: facts.pid,
    rss: map.rss,
    parts,
    heap: facts.heap,
    external: facts.external,
    malloc,
    threads: map.stackCount,
    mappings: map.mappings,
    problems: [native.problem, native.mallocProblem, ...facts.problems].filter((each) => each !== ''),
  };
  return { ...breakdown, verdict: verdictOn(breakdown) };
}

function titleOf(name: MemoryPartName, malloc: MallocMemory | null, { external }: MemoryFacts): string {
  if (name === 'native' && (malloc === null || external === null)) {
    return external === null
      ? 'malloc: Buffers, other native memory, and what is freed but kept'
      : 'malloc: in use, or freed but kept';
  }
  return TITLES[name];
}

function mallocOf({ arenas, mapped, mallocProblem }: NativeMemory): MallocMemory | null {
  if (mallocProblem !== '') return null;
  const all: { system: number; free: number }[] = [];
  for (let i = 0; i < arenas.length; i += 2) all.push({ system: arenas[i]!, free: arenas[i + 1]! });
  const sum = (of: (arena: { system: number; free: number }) => number) =>
    all.reduce((total, arena) => total + of(arena), 0);
  const system = sum((arena) => arena.system) + mapped;
  const free = sum((arena) => Math.min(arena.free, arena.system));
  return { system, inUse: system - free, free, mapped, arenas: all };
}

function partsOf(
  { map }: NativeMemory,
  malloc: MallocMemory | null,
  { heap, external, heapResident, own }: MemoryFacts,
): Record<MemoryPartName, number> {
  // Some of malloc's memory lies where it cannot be told from other memory: chunks that the system joined with pages of a
  // heap, and what the main arena got elsewhere, because something lay behind it. There malloc's and V8's own counts tell.
  const lacking = Math.max(0, (malloc?.system ?? 0) - map.brk - map.arenas - map.chunks);
  const unseen = Math.min(map.other, lacking);
  const beyondHeap =
    heap === null || heap.uncovered > 0 ? 0 : Math.max(0, map.heap - heap.committed * HEAP_SLACK);
  const inHeap = Math.min(beyondHeap, lacking - unseen);
  // Our tables are reserved, and used from the beginning on; or they cannot be told from other memory.
  const ownReserved = Math.min(own.mapped, map.reserved);
  const ownOther = Math.min(own.mapped - ownReserved, map.other - unseen);
  const reserved = map.reserved - ownReserved;
  const heapOther = Math.min(Math.max(0, heapResident - map.heap), map.other - unseen - ownOther);
  const ofMalloc = map.brk + map.arenas + map.chunks + unseen + inHeap;
  // Freed memory was in use once, so it is resident unless malloc gave it back, and with it what it never gave out.
  const mallocFree = Math.min(malloc?.free ?? 0, ofMalloc - map.chunks);
  const inUse = ofMalloc - mallocFree;
  const ofOwn = Math.min(own.malloced, inUse);
  // Of what is in use but was never written to, most is in buffers.
  const outside = Math.max(0, (external?.bytes ?? 0) - reserved);
  const others = malloc === null ? 0 : Math.max(0, malloc.inUse - outside - ofOwn);
  const buffers = Math.max(0, Math.min(outside, inUse - ofOwn - Math.min(others, inUse - ofOwn)));
  return {
    heap: map.heap - inHeap + heapOther,
    buffers,
    native: inUse - buffers - ofOwn,
    mallocFree,
    reserved,
    code: map.code,
    stacks: map.stacks,
    files: map.files,
    shared: map.shared,
    memprof: ownReserved + ownOther + ofOwn,
    unexplained: map.other - unseen - ownOther - heapOther,
  };
}

function detailsOf(
  { map }: NativeMemory,
  malloc: MallocMemory | null,
  { heap, external }: MemoryFacts,
  bytes: Record<MemoryPartName, number>,
): Partial<Record<MemoryPartName, string>> {
  const details: Partial<Record<MemoryPartName, string>> = { stacks: `${map.stackCount} threads` };
  if (heap !== null) {
    const spaces = heap.spaces.filter(({ committed }) => committed > 0);
    const heaps = heap.threads + heap.uncovered;
    details.heap = [
      `${size(heap.used)} used of ${size(heap.committed)} committed${heaps > 1 ? `, ${heaps} heaps` : ''}`,
      ...(heap.garbage === null ? [] : [`${size(heap.garbage)} was garbage`]),
      ...spaces.map(({ name, used, committed }) => `${name} ${size(used)} of ${size(committed)}`),
      ...(heap.uncovered > 0
        ? [`${heap.uncovered} of them have not loaded memprof, and are in none of these figures`]
        : []),
    ].join('; ');
  }
  if (external !== null) {
    const ofBuffers =
      external.buffers === null
        ? 'start({ buffers: true }) would tell how much of it is in Buffers'
        : `of it ${size(external.buffers)} in Buffers and ArrayBuffers`;
    details.buffers = `${size(external.bytes)} allocated, ${ofBuffers}`;
    if (external.bytes - bytes.reserved > bytes.buffers * 1.1 + 2 ** 20)
      details.buffers += '; the rest was never written to';
  }
  if (malloc !== null) {
    details.mallocFree = `in ${malloc.arenas.length} arenas; ${size(malloc.free)} by malloc's books`;
    details.native = `malloc has ${size(malloc.inUse)} in use, Buffers included`;
    const reported = (external?.reported ?? 0) - (external?.bytes ?? 0);
    if (reported > WORTH_A_WORD) details.native += `; addons have told V8 of up to ${size(reported)}`;
  }
  return details;
}

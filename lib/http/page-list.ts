// The pages that there are: their addresses, and their words on the index page.
import type { ProfileName } from '../capture/lookup.js';
import type { IndexEntry } from './index-page.js';

export interface Page {
  base: 'debug' | 'perl';
  name: string;
  /** The path lacks the slash at its end. */
  slashless?: boolean;
}

/** Finds the page of a path, after any prefix: `heap` for `/prefix/debug/pprof/heap`. */
export function findPage(path: string): Page | undefined {
  const debug = /\/debug\/pprof(\/.*)?$/s.exec(path);
  if (debug !== null)
    return { base: 'debug', name: debug[1]?.slice(1) ?? '', slashless: debug[1] === undefined };
  const perl = /\/pprof\/(heap|symbol|cmdline)$/.exec(path);
  return perl === null ? undefined : { base: 'perl', name: perl[1]! };
}

export const descriptions: readonly (Omit<IndexEntry, 'count'> & { counts?: ProfileName })[] = [
  {
    name: 'allocs',
    href: 'allocs?debug=1',
    counts: 'allocs',
    description: 'A sampling of all past memory allocations',
  },
  {
    name: 'buffers',
    href: 'buffers?debug=1',
    counts: 'buffers',
    description:
      'A sampling of Buffers and ArrayBuffers, whose memory is outside the heap. You can specify the gc GET parameter to run GC before.',
  },
  {
    name: 'cmdline',
    href: 'cmdline?debug=1',
    description: 'The command line invocation of the current program',
  },
  {
    name: 'flame',
    href: 'flame',
    description:
      'A flame graph of the heap. With the seconds GET parameter, colours show what changed in that time.',
  },
  {
    name: 'heap',
    href: 'heap?debug=1',
    counts: 'heap',
    description:
      'A sampling of memory allocations of live objects. You can specify the gc GET parameter to run GC before taking the heap sample.',
  },
  {
    name: 'history',
    href: 'history',
    description: 'How the memory of sites has changed over the last week, as far as it is remembered',
  },
  {
    name: 'lifetimes',
    href: 'lifetimes?debug=1',
    description:
      'What became of the memory that was allocated: what outlived a major garbage collection and died later, and how old it got',
  },
  {
    name: 'memory',
    href: 'memory',
    description:
      'What the resident memory of the process is: heap, Buffers, native memory, what malloc keeps free.',
  },
  {
    name: 'peak',
    href: 'peak?debug=1',
    counts: 'peak',
    description: 'What was in use when the heap was largest after a garbage collection',
  },
  {
    name: 'why',
    href: 'why?cost=1',
    description:
      'What holds the memory of a site, which you can specify in the site GET parameter (a regular expression). It takes a snapshot of the heap, which stops the thread: the cost GET parameter only tells for how long.',
  },
];

export const ABSENT = {
  profile: 'memprof has no profile of CPU time: it profiles memory',
  trace: 'memprof has no traces: it profiles memory',
} as const;

/** Pages that can be added up. */
export const SUMMED: ReadonlySet<string> = new Set(['heap', 'allocs', 'buffers', 'flame']);

export function pageNames(): string {
  return descriptions.map(({ name }) => name).join(', ');
}

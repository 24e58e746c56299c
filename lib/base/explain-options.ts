import { invalidType } from './errors.js';
import { abortSignal, boolean, bytes, integer, ofApi, text } from './option-kinds.js';
import type { Option } from './options.js';

const MIB = 2 ** 20;

/** The rows of the table of options (options.ts) for `explain()` and `memprof why`. */
export function explainOptions(): Option[] {
  return [
    {
      name: 'site',
      takers: ['explain'],
      kind: ofApi('a regular expression', (value, name) => {
        if (typeof value !== 'string' && !(value instanceof RegExp)) {
          throw invalidType(name, 'a string or a RegExp', value);
        }
      }),
      shownDefault: 'those that grow in what the program remembers, or else those with most bytes in use',
      help: 'a regular expression for the functions that allocated what is to be explained',
    },
    {
      name: 'site',
      takers: ['why'],
      kind: text('REGEX', { needed: true }),
      shownDefault: 'those that grow in what the program remembers, or else those with most bytes in use',
      help: 'explain the sites whose function matches (as NAME FILE:LINE)',
    },
    {
      name: 'limit',
      takers: ['explain', 'why'],
      kind: integer(1, 100),
      default: 3,
      help: 'the most sites to explain, those with most bytes in use first',
    },
    {
      name: 'thread',
      takers: ['explain', 'why'],
      kind: integer(0, 2 ** 32 - 1),
      shownDefault: 'the calling thread; the main one for the command and the page',
      help: 'the id of the thread whose heap is looked at',
    },
    {
      name: 'maxHeapBytes',
      takers: ['explain'],
      kind: bytes(0, Number.MAX_SAFE_INTEGER),
      default: 128 * MIB,
      help: 'the largest heap of which a snapshot is taken',
    },
    {
      name: 'signal',
      takers: ['explain'],
      kind: abortSignal,
      help: 'when it aborts, the promise is rejected with its reason',
    },
    {
      name: 'yes',
      takers: ['why'],
      kind: boolean,
      default: false,
      short: 'y',
      help: 'take the snapshot however large the heap is',
    },
    { name: 'json', takers: ['why'], kind: boolean, default: false, help: 'print JSON' },
  ];
}

import { convertFormats, granularities, heapSampleTypes, reportFormats } from './choices.js';
import { boolean, duration, file, integer, oneOf, share, text } from './option-kinds.js';
import type { Option } from './options.js';

export const commands = [
  'run',
  'attach',
  'detach',
  'top',
  'tree',
  'peek',
  'traces',
  'tags',
  'raw',
  'diff',
  'list',
  'leaks',
  'why',
  'flame',
  'open',
  'memory',
  'convert',
  'bench-compare',
  'build',
  'completion',
] as const;
export type CommandName = (typeof commands)[number];

const GRAPHS = ['top', 'tree', 'peek'] as const;
/** Commands that report on profiles as `go tool pprof` does. */
const REPORTS = [...GRAPHS, 'traces', 'tags', 'raw'] as const;
const DAY = 86_400_000;

/** The rows of the table of options (options.ts) that only the command takes. */
export function commandOptions(): Option[] {
  const all = Number.MAX_SAFE_INTEGER;
  const regex = text('REGEX');
  return [
    {
      name: 'count',
      takers: ['leaks'],
      kind: integer(2, 100_000),
      default: 5,
      help: 'how many profiles to fetch from the URL',
    },
    {
      name: 'since',
      takers: ['leaks'],
      kind: duration(60_000, 7 * DAY),
      shownDefault: 'all',
      help: 'how far to go back in what the program at the URL remembers',
    },
    {
      name: 'every',
      takers: ['leaks'],
      kind: duration(10, DAY),
      default: 15_000,
      help: 'time between two fetches',
    },
    {
      name: 'output',
      takers: ['flame', 'convert'],
      kind: file,
      short: 'o',
      help: 'the file to write; - is standard output',
    },
    {
      name: 'format',
      takers: ['top', 'diff', 'leaks', 'bench-compare'],
      kind: oneOf('FORMAT', reportFormats),
      default: 'text',
      help: 'text for the terminal, md for a chat, json for programs',
    },
    {
      name: 'browser',
      takers: ['open'],
      kind: boolean,
      default: true,
      help: 'open the address in the browser',
      helpOff: 'only print the address',
    },
    {
      name: 'format',
      takers: ['convert'],
      kind: oneOf('FORMAT', convertFormats),
      shownDefault: 'from the name of the output file',
      help: convertFormats.join(', '),
    },
    ...nodeCounts(['top', 0], ['tree', 80], ['diff', 30], ['leaks', 10]),
    {
      name: 'sampleIndex',
      takers: [...GRAPHS, 'traces', 'tags', 'diff', 'list', 'flame', 'open', 'convert'],
      kind: text('TYPE', { complete: heapSampleTypes }),
      default: '',
      shownDefault: "the profile's own",
      help: `the figures to show, by name or number: ${heapSampleTypes.join(', ')}; short forms: --alloc_space and so on`,
      likePprof: true,
      shorthand: heapSampleTypes,
    },
    {
      name: 'cum',
      takers: [...GRAPHS, 'diff'],
      kind: boolean,
      default: false,
      help: 'sort by cumulative figures',
      likePprof: true,
    },
    {
      name: 'focus',
      takers: [...REPORTS, 'diff'],
      kind: regex,
      help: 'keep only stacks with a frame that matches',
    },
    {
      name: 'ignore',
      takers: [...REPORTS, 'diff'],
      kind: regex,
      help: 'drop stacks with a frame that matches',
    },
    { name: 'hide', takers: [...REPORTS, 'diff'], kind: regex, help: 'leave out frames that match' },
    {
      name: 'show',
      takers: [...REPORTS, 'diff'],
      kind: regex,
      help: 'leave out all frames but those that match',
    },
    {
      name: 'tagfocus',
      takers: REPORTS,
      kind: text('LABEL'),
      help: 'keep only samples with a label that matches: REGEX, KEY=REGEX, or a range of numbers such as 1kb:64kb or bytes=512:',
    },
    {
      name: 'tagignore',
      takers: REPORTS,
      kind: text('LABEL'),
      help: 'drop samples with a label that matches',
    },
    {
      name: 'base',
      takers: REPORTS,
      kind: file,
      isList: true,
      help: 'subtract this profile; may be given several times',
    },
    {
      name: 'diffBase',
      takers: REPORTS,
      kind: file,
      isList: true,
      help: 'subtract this profile, whose total is then 100 %; may be given several times',
      likePprof: true,
    },
    {
      name: 'base',
      takers: ['flame', 'open'],
      kind: file,
      isList: true,
      help: 'colour frames by the difference from this profile',
    },
    {
      name: 'nodeFraction',
      takers: ['top', 'tree', 'diff'],
      kind: share(0, 1),
      default: 0.005,
      help: 'hide functions below this share of the total',
      likePprof: true,
    },
    ...granularityOf([...GRAPHS, 'diff'], 'places', 'add up figures by'),
    ...granularityOf(['traces'], 'functions', 'name frames by'),
    ...granularityOf(['leaks'], 'places', 'what counts as one site'),
    {
      name: 'lines',
      takers: ['flame', 'open'],
      kind: boolean,
      default: false,
      help: 'a frame for each line of a function that calls or allocates, where the profile knows lines (`callSites`)',
    },
    {
      name: 'showInternals',
      takers: [...GRAPHS, 'diff', 'list', 'leaks', 'flame', 'open'],
      kind: boolean,
      default: false,
      help: "show the frames of Node's module loading and of memprof, which are folded otherwise; totals are the same",
    },
    {
      name: 'all',
      takers: ['leaks'],
      kind: boolean,
      default: false,
      help: 'also show sites that do not grow steadily',
    },
    {
      name: 'gc',
      takers: ['memory'],
      kind: boolean,
      default: false,
      help: 'have the program collect garbage first, and say how much there was (with a URL)',
    },
    { name: 'json', takers: ['memory'], kind: boolean, default: false, help: 'print JSON' },
    {
      name: 'tolerance',
      takers: ['bench-compare'],
      kind: share(0, 10),
      default: 0.01,
      help: 'by what share a figure may rise',
    },
    {
      name: 'force',
      takers: ['build'],
      kind: boolean,
      default: false,
      short: 'f',
      help: 'compile even if there is a binary that loads',
    },
    {
      name: 'verbose',
      takers: ['build'],
      kind: boolean,
      default: false,
      help: 'show the output of the compiler',
    },
    { name: 'quiet', takers: ['run'], kind: boolean, default: false, short: 'q', help: 'print no summary' },
    { name: 'help', takers: commands, kind: boolean, default: false, short: 'h', help: 'show this help' },
  ];

  function nodeCounts(...counts: [CommandName, number][]): Option[] {
    return counts.map(([taker, count]) => ({
      name: 'nodeCount',
      takers: [taker],
      kind: integer(0, all),
      default: count,
      short: 'n',
      help: `show the N ${taker === 'leaks' ? 'sites that grow most' : 'largest functions'}; 0 shows all`,
      likePprof: true,
    }));
  }

  function granularityOf(takers: readonly CommandName[], initial: string, what: string): Option[] {
    const help = `${what}: ${granularities.join(', ')}; short forms: --functions and so on (those of go tool pprof, except places)`;
    const kind = oneOf('WHAT', granularities);
    return [
      {
        name: 'granularity',
        takers,
        kind,
        default: initial,
        help,
        likePprof: true,
        shorthand: granularities,
      },
    ];
  }
}

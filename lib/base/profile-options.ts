import { encodeFormats, heapSampleTypes, writeFormats } from './choices.js';
import { abortSignal, bytes, oneOf } from './option-kinds.js';
import type { Option } from './options.js';

const MIB = 2 ** 20;

/** The rows of the table of options (options.ts) for writing and reading one profile. */
export function profileOptions(): Option[] {
  return [
    {
      name: 'header',
      takers: ['writeTo', 'encode'],
      kind: oneOf('HEADER', ['heap', 'heap_v2']),
      default: 'heap',
      help: 'the header of the text: what Go writes, or what the Perl tools (`google-pprof`, `jeprof`) need',
    },
    {
      name: 'format',
      takers: ['writeTo'],
      kind: oneOf('FORMAT', writeFormats),
      default: 'pprof',
      help: 'with `debug` 0: gzipped protobuf, a file for Chrome DevTools, or collapsed stacks for flame-graph tools',
    },
    {
      name: 'format',
      takers: ['encode'],
      kind: oneOf('FORMAT', encodeFormats),
      default: 'pprof',
      help: "gzipped protobuf, Go's text, a file for Chrome DevTools, or collapsed stacks for flame-graph tools",
    },
    {
      name: 'sampleType',
      takers: ['writeTo', 'encode'],
      kind: oneOf('TYPE', heapSampleTypes),
      shownDefault: '`inuse_space`; `alloc_space` for `allocs`',
      help: 'the value that pprof shows first, and the only one in formats that hold one value; the text holds all',
    },
    {
      name: 'signal',
      takers: ['writeTo', 'encode'],
      kind: abortSignal,
      help: 'when it aborts, the promise is rejected with its reason',
    },
    {
      name: 'scaling',
      takers: ['parseProfile'],
      kind: oneOf('SCALING', ['go', 'perl', 'none']),
      default: 'go',
      shownDefault: '`go`; `perl` for a file with symbols, which only the Perl tools write',
      help: 'how to scale up the samples of a text profile: as `go tool pprof` does, as the Perl tools do, or not at all',
    },
    {
      name: 'maxBytes',
      takers: ['parseProfile'],
      kind: bytes(1, 1024 * MIB),
      default: 256 * MIB,
      help: 'limit on the size of the uncompressed input',
    },
  ];
}

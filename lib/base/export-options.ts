import { invalidType } from './errors.js';
import { duration, func, object, ofApi, text, texts } from './option-kinds.js';
import type { Option } from './options.js';

const DAY = 86_400_000;

/** The rows of the table of options (options.ts) for `memprof/pyroscope` and `memprof/prometheus`. */
export function exportOptions(): Option[] {
  return [
    // Exports to other systems.
    {
      name: 'url',
      takers: ['push'],
      kind: text('URL'),
      needed: true,
      help: 'the URL of the server: `http:` or `https:`, without user and password',
    },
    {
      name: 'name',
      takers: ['push'],
      kind: text('NAME'),
      needed: true,
      help: 'the name of the application: letters, digits, `_`, `.`, `-`, `/`',
    },
    {
      name: 'labels',
      takers: ['push'],
      kind: texts,
      help: 'labels of the application, such as `{ env: "prod" }`',
    },
    {
      name: 'interval',
      takers: ['push'],
      kind: duration(100, DAY),
      default: 15_000,
      help: 'time between two pushes',
    },
    {
      name: 'timeout',
      takers: ['push'],
      kind: duration(100, DAY),
      default: 10_000,
      help: 'how long to wait before giving up on a push',
    },
    { name: 'token', takers: ['push'], kind: text('TOKEN'), help: 'sent as `Authorization: Bearer …`' },
    {
      name: 'basicAuth',
      takers: ['push'],
      kind: texts,
      help: '`{ username, password }`, sent as `Authorization: Basic …`',
    },
    { name: 'headers', takers: ['push'], kind: texts, help: 'further headers, such as the name of a tenant' },
    { name: 'fetch', takers: ['push'], kind: func, help: 'a function to use instead of the global `fetch`' },
    {
      name: 'register',
      takers: ['memprofMetrics'],
      kind: object,
      shownDefault: "prom-client's own",
      help: 'the registry in which to register the metrics',
    },
    {
      name: 'prefix',
      takers: ['memprofMetrics'],
      kind: text('PREFIX'),
      default: '',
      help: 'a prefix for the name of every metric',
    },
    { name: 'labels', takers: ['memprofMetrics'], kind: object, help: 'labels that every metric gets' },
    {
      name: 'gcPauseBuckets',
      takers: ['memprofMetrics'],
      kind: ofApi('an array of numbers', (value, name) => {
        if (!Array.isArray(value)) throw invalidType(name, 'an array of numbers', value);
      }),
      shownDefault: '0.00025 … 1',
      help: "upper bounds of the pause histogram's buckets, in seconds, in ascending order",
    },
    {
      name: 'client',
      takers: ['memprofMetrics'],
      kind: object,
      shownDefault: "`require('prom-client')`",
      help: 'the `prom-client` module to use',
    },
  ];
}

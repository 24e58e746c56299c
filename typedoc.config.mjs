// The API reference of what `exports` in package.json offers: `npm run docs` writes it to build/docs.
import { readFileSync } from 'node:fs';

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default {
  tsconfig: 'tsconfig.build.json',
  // memprof/register exports nothing.
  entryPoints: Object.entries(exports)
    .filter(([name, target]) => typeof target === 'object' && name !== './register')
    .map(([, { default: file }]) => file.replace('./dist/', 'lib/').replace(/\.js$/, '.ts')),
  out: 'build/docs',
  name: 'memprof',
  readme: 'none',
  disableSources: true,
  excludeInternal: true,
  sort: ['source-order'],
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  // Neighbouring properties share a comment.
  requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Enum', 'Variable', 'Method'],
};

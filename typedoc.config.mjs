// The documentation as a site: README and docs/*.md as pages, with the API reference of what `exports` in package.json
// offers beside them. `npm run docs` writes it to build/docs, and fails at a warning: a dead link is one.
import { readFileSync } from 'node:fs';
import { namePages, pages } from './docs/site.mjs';

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default {
  plugin: [namePages],
  tsconfig: 'tsconfig.build.json',
  // memprof/register exports nothing.
  entryPoints: Object.entries(exports)
    .filter(([name, target]) => typeof target === 'object' && name !== './register')
    .map(([, { default: file }]) => file.replace('./dist/', 'lib/').replace(/\.js$/, '.ts')),
  projectDocuments: Object.values(pages).flat(),
  out: 'build/docs',
  name: 'memprof',
  readme: 'README.md',
  headings: { readme: false },
  searchInDocuments: true,
  disableSources: true,
  excludeInternal: true,
  sort: ['source-order'],
  router: 'page',
  customCss: 'docs/site.css',
  // What the pages show is grouped as in docs/site.mjs.
  groupOrder: [...Object.keys(pages), '*'],
  navigation: { includeGroups: true, includeFolders: false },
  ignoredHighlightLanguages: ['alloy', 'dockerfile'],
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true, invalidPath: true },
  // Neighbouring properties share a comment.
  requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Enum', 'Variable', 'Method'],
};

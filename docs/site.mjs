// The site of the documentation, for typedoc.config.mjs: which pages it has, how they are named, and where they lie.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Converter, KindRouter, ReflectionKind } from 'typedoc';

const root = path.join(import.meta.dirname, '..');

function readmesOf(folder) {
  return readdirSync(path.join(root, folder))
    .sort()
    .map((name) => `${folder}/${name}/README.md`)
    .filter((file) => existsSync(path.join(root, file)));
}

/** In the order of the navigation. test/unit/docs-links sees that every page is here. */
export const pages = {
  'Getting started': ['docs/guide.md', 'docs/install.md', 'docs/comparison.md', 'docs/troubleshooting.md'],
  Tasks: [
    'docs/leaks.md',
    'docs/memory.md',
    'docs/buffers.md',
    'docs/labels.md',
    'docs/call-sites.md',
    'docs/testing-allocations.md',
  ],
  'In production': ['docs/production.md', 'docs/http.md', 'docs/fleet.md'],
  Reference: ['docs/command.md', 'docs/api.md', 'docs/options.md', 'docs/errors.md'],
  Background: ['docs/accuracy.md', 'docs/benchmarks.md', 'docs/architecture.md', 'docs/table.md'],
  Examples: ['examples/README.md', ...readmesOf('examples')],
  Project: ['CONTRIBUTING.md', 'CHANGELOG.md'],
};

/** `docs/leaks.md` is `docs/leaks.html`, whatever its title is. */
class PageRouter extends KindRouter {
  getIdealBaseName(reflection) {
    if (!reflection.isDocument()) return super.getIdealBaseName(reflection);
    return fileOf(reflection).replace(/\.md$/, '').toLowerCase();
  }
}

function fileOf(document) {
  return path.relative(root, document.project.files.getReflectionPath(document));
}

/**
 * What TypeDoc does not show as meant: a block without a language, which is output, is coloured as TypeScript; and code in a heading
 * is missing in the contents at the side, and in its anchor.
 */
function mend(parts) {
  let line = '';
  for (const part of parts) {
    if (part.kind === 'code') part.text = part.text.replace(/^(```+)\n/, '$1text\n');
    const inHeading = part.kind === 'code' && /^#{1,6} /.test(line);
    if (inHeading) part.text = part.text.replaceAll('`', '').replaceAll('<', '&lt;');
    if (inHeading) part.kind = 'text';
    line = `${line}${part.text}`.split('\n').at(-1);
  }
}

/** TypeDoc's plugin: pages are called what their first heading says, and modules what is imported. */
export function namePages(app) {
  app.renderer.defineRouter('page', PageRouter);
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const file = fileOf(document);
    const [group] = Object.entries(pages).find(([, files]) => files.includes(file));
    document.frontmatter.group = group;
    mend(document.content);
    document.name = /^# (.*)$/m.exec(readFileSync(path.join(root, file), 'utf8'))[1];
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    mend(project.readme);
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      module.name = module.name === 'index' ? 'memprof' : `memprof/${module.name}`;
    }
  });
  // After the modules are sorted by their files: what `require('memprof')` gives comes first.
  app.converter.on(
    Converter.EVENT_RESOLVE_END,
    ({ project }) => {
      for (const { children } of project.groups) {
        const at = children.findIndex(({ name }) => name === 'memprof');
        if (at > 0) children.unshift(...children.splice(at, 1));
      }
    },
    -1000,
  );
}

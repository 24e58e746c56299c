// Copies what the flame page needs into dist/flame/browser: the library with its dependencies from node_modules, so that
// users of memprof need not install them, and our own script and style sheet.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const out = path.join(here, '..', '..', 'dist', 'flame', 'browser');
const require = createRequire(import.meta.url);

const LIBRARY = 'd3-flame-graph';

// The script of each package; each adds to a global object. Others are named PACKAGE.min.js.
const bundles = {
  [LIBRARY]: 'd3-flamegraph.umd.min.js',
  // Already part of d3-array's script.
  internmap: undefined,
};

/** Finds a package's folder by its package.json, because its main file may be in a subfolder. */
function folderOf(name, from) {
  for (const base of createRequire(from).resolve.paths(name)) {
    const folder = path.join(base, name);
    try {
      return [folder, JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))];
    } catch {}
  }
  throw new Error(`${name} is not installed`);
}

/** Collects packages in the order in which they must be loaded: dependencies first. */
function collect(name, from, found = new Map()) {
  if (found.has(name)) return found;
  const [folder, manifest] = folderOf(name, from);
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (!found.has(dependency)) collect(dependency, path.join(folder, 'package.json'), found);
  }
  return found.set(name, { folder, manifest });
}

const packages = collect(LIBRARY, require.resolve('./build-page.mjs'));
const scripts = [];
const licenses = [];
for (const [name, { folder, manifest }] of packages) {
  const license = readFileSync(path.join(folder, 'LICENSE'), 'utf8').trim();
  licenses.push(`${name} ${manifest.version} (${manifest.license})\n\n${license}\n`);
  const file = name in bundles ? bundles[name] : `${name}.min.js`;
  if (file === undefined) continue;
  const source = readFileSync(path.join(folder, 'dist', file), 'utf8').trim();
  // The source goes into a <script>, which it must not end.
  if (/<\/script|<!--/i.test(source)) throw new Error(`${name} cannot be put into a page`);
  const notice = manifest.license === 'ISC' ? license.replace(/\*\//g, '') : `${manifest.license} licence`;
  scripts.push(`/* ${name} ${manifest.version}: ${manifest.homepage}\n${notice} */\n${source}\n`);
}

mkdirSync(out, { recursive: true });
writeFileSync(path.join(out, 'library.js'), scripts.join(''));
writeFileSync(path.join(out, 'LICENSES.txt'), licenses.join(`\n${'-'.repeat(80)}\n\n`));
for (const file of ['page.js', 'page.css'])
  copyFileSync(path.join(here, 'browser', file), path.join(out, file));

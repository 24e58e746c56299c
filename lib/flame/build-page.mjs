// Joins the modules of the flame page, which tsc has put into dist/flame/browser, into one script: the page loads nothing.
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const out = path.join(here, '..', '..', 'dist', 'flame', 'browser');
const IMPORT = /^import (?:[^;]*? from )?'\.\/([^']+)\.js';\n/gm;

const joined = [];
const done = new Set();

/** Modules come after those that they import. Names at their top level must differ from each other; `vm.Script` checks that. */
function join(name) {
  if (done.has(name)) return;
  done.add(name);
  const source = readFileSync(path.join(out, `${name}.js`), 'utf8');
  for (const [, imported] of source.matchAll(IMPORT)) join(imported);
  joined.push(source.replace(IMPORT, '').replace(/^export (?=const|let|class|function|async)/gm, ''));
}

join('main');
const script = `'use strict';\n{\n${joined.join('\n')}}\n`;
if (/^(import|export) /m.test(script))
  throw new Error('the flame page has an import or export that cannot be joined');
// The script goes into a <script>, which it must not end.
if (/<\/script|<!--/i.test(script)) throw new Error('the flame page cannot be put into a page');
new vm.Script(script);
for (const file of readdirSync(out)) rmSync(path.join(out, file));
writeFileSync(path.join(out, 'page.js'), script);
copyFileSync(path.join(here, 'browser', 'page.css'), path.join(out, 'page.css'));

// What the sources promise in several places is the same in all of them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { main } from '../support/cli.js';
import { root, runCommand } from '../support/run.js';

const read = (name: string) => readFileSync(path.join(root, name), 'utf8');

function codesIn(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(/ERR_MEMPROF_[A-Z_]*[A-Z]/g), ([code]) => code))].sort();
}

/** Without comments: a code that is only told of there is not thrown. */
function sources(folder: string): string {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|cc|h)$/.test(name) && name !== path.join('base', 'errors.ts'))
    .map((name) => read(path.join(folder, name)).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''))
    .join('\n');
}

t.test('error codes: each is thrown, typed and documented, and no other', async (t) => {
  const errors = read('lib/base/errors.ts');
  const typed = codesIn(/type ErrorCode =([^;]*);/.exec(errors)![1]!);
  const [types, functions] = errors.split('/** What `instanceof MemprofError`');
  t.match(types, 'type ErrorCode');
  t.strictSame(codesIn(sources('lib') + sources('native') + functions), typed, 'thrown');
  const pages = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const headings = read('docs/errors.md').match(/^## ERR_MEMPROF_\w+$/gm) ?? [];
  t.strictSame(codesIn(headings.join('\n')), typed, 'each has a heading in docs/errors.md');
  const texts = [read('README.md'), ...pages.map((name) => read(path.join('docs', name)))].join('\n');
  t.strictSame(
    codesIn(texts).filter((code) => !typed.includes(code)),
    [],
    'no page knows any other',
  );
});

t.test('no source file has more than 450 lines', (t) => {
  const long: string[] = [];
  for (const folder of ['lib', 'native', 'test', 'bench', '.ci']) {
    for (const name of readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (/node_modules|fixtures|[\\/]out[\\/]/.test(name) || !/\.(ts|cc|h|[cm]?js|sh)$/.test(name)) continue;
      const lines = read(path.join(folder, name)).split('\n').length - 1;
      if (lines > 450) long.push(`${folder}/${name}: ${lines}`);
    }
  }
  t.strictSame(long, []);
  t.end();
});

t.test('the README is read to its end: at most 200 lines', async (t) => {
  const lines = read('README.md').split('\n').length - 1;
  t.ok(lines <= 200, `${lines} lines`);
});

t.test('the command can be run in a clone, by its own name', async (t) => {
  t.equal(statSync(main).mode & 0o111, 0o111, 'executable, as the build leaves it');
  const { code, stdout } = await runCommand('env', [
    '-u',
    'NODE_OPTIONS',
    `PATH=${path.dirname(process.execPath)}:/usr/bin:/bin`,
    main,
    '--help',
  ]);
  t.equal(code, 0);
  t.match(stdout, 'memprof');
});

t.test('licences of what memprof follows are told and shipped', async (t) => {
  const notice = read('NOTICE');
  t.match(notice, 'Copyright (c) 2009 The Go Authors. All rights reserved.');
  t.match(notice, 'THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS');
  t.match(notice, 'The Prometheus Authors');
  t.match(notice, /Apache License\s+Version 2\.0, January 2004/);
  t.match(notice, 'END OF TERMS AND CONDITIONS');
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  t.ok(files.includes('NOTICE'));
  t.notOk(files.includes('binding.gyp'), 'pnpm would warn of build scripts');
  for (const [, name] of notice.matchAll(/\b((?:lib|native)\/[\w./-]+)/g)) {
    t.ok(statSync(path.join(root, name!)), name!);
  }
  t.notMatch(sources('lib'), /1\.26551223|Numerical Recipes/, 'nothing of Numerical Recipes');
});

// No link of the documentation is dead: files exist, and so do the headings that anchors name. Addresses of other hosts
// are not asked.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { root } from '../support/run.js';

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

function markdownIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => path.join(folder, name));
}

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...markdownIn('docs'),
  ...markdownIn('examples'),
];

const withoutCode = (text: string) => text.replace(/^ *```.*?^ *```/gms, '').replace(/`[^`\n]*`/g, '``');

/** The anchors that GitHub gives the headings of a page; TypeDoc gives the same ones. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title] of read(page)
    .replace(/^```.*?^```/gms, '')
    .matchAll(/^#{1,6} (.*)$/gm)) {
    const slug = title!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function problemOf(page: string, link: string): string | undefined {
  const [file, anchor] = link.split('#') as [string, string?];
  const target = file === '' ? page : path.join(path.dirname(page), decodeURIComponent(file));
  if (!existsSync(path.join(root, target))) return 'no such file';
  if (statSync(path.join(root, target)).isDirectory()) return 'a folder, which the site cannot show';
  if (anchor === undefined) return undefined;
  return anchorsOf(target).has(anchor) ? undefined : 'no such heading';
}

t.test('every link within the documentation leads somewhere', async (t) => {
  let count = 0;
  const dead: string[] = [];
  for (const page of pages) {
    const text = withoutCode(read(page));
    const links = [
      ...text.matchAll(/\]\(([^)\s]+)\)/g),
      ...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm),
      ...text.matchAll(/(?:src|href)="([^"]+)"/g),
    ].map(([, link]) => link!);
    for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
      const problem = problemOf(page, link);
      count++;
      if (problem !== undefined) dead.push(`${page}: ${link}: ${problem}`);
    }
  }
  t.strictSame(dead, []);
  t.ok(count > 50, `${count} links`);
});

t.test('the test tells a dead link', async (t) => {
  t.equal(problemOf('README.md', 'docs/nothing.md'), 'no such file');
  t.equal(problemOf('README.md', 'docs/errors.md#nothing'), 'no such heading');
  t.equal(problemOf('docs/http.md', '#cluster-pm2-and-other-families'), undefined);
  t.equal(problemOf('README.md', 'docs/errors.md#err_memprof_abi'), undefined);
});

t.test('every page is on the site', async (t) => {
  const site = read('docs/site.mjs');
  const shown = pages.filter((page) => !/^(README|SECURITY|examples\/\S+)\.md$/.test(page));
  t.strictSame(
    shown.filter((page) => !site.includes(`'${page}'`)),
    [],
    'the READMEs of examples are found by their names',
  );
});

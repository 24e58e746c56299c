import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { launchChromium } from '../support/chromium.js';
import { after, before, memprof } from '../support/cli.js';
import { needs } from '../support/tools.js';

let browser: Browser | undefined;

async function open(
  t: Test,
  ...args: string[]
): Promise<{ page: Page; errors: string[]; requests: string[] }> {
  const file = path.join(t.testdirName, 'out.html');
  const run = memprof(['flame', ...args, '-o', file]);
  t.equal(run.code, 0, run.stderr);
  t.equal(run.stdout + run.stderr, '');
  browser ??= await launchChromium();
  const page = await browser.newPage({ viewport: { width: 1200, height: 700 } });
  page.setDefaultTimeout(300_000);
  t.teardown(() => page.close());
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => errors.push(message.text()));
  page.on('dialog', (dialog) => {
    errors.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('#chart g.frame');
  return { page, errors, requests };
}

t.teardown(() => browser?.close());

const frame = (name: string) => `#chart g.frame[name="${name}"]`;
const widthOf = async (page: Page, name: string) => {
  const found = page.locator(frame(name)).first();
  // Without the stroke, which is another under the mouse.
  return (await found.count()) === 0 ? 0 : Number(await found.locator('rect').getAttribute('width'));
};
/** Transitions of no duration, too, end in a later frame of the browser. Gives the last width if it never is as wanted. */
const widthThatIs = async (page: Page, name: string, wanted: (width: number) => boolean) => {
  for (const until = performance.now() + 60_000; performance.now() < until; ) {
    const width = await widthOf(page, name);
    if (wanted(width)) return width;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return widthOf(page, name);
};
const titleOf = (page: Page, name: string) =>
  page
    .locator(`${frame(name)} title`)
    .first()
    .textContent();
const colorOf = (page: Page, name: string) =>
  page
    .locator(`${frame(name)} rect`)
    .first()
    .getAttribute('fill');

t.test('draws, and needs no network', needs('chromium'), async (t) => {
  t.testdir({});
  const { page, errors, requests } = await open(t, after);
  t.equal(await page.title(), 'after.pb.gz');
  t.equal(await page.locator('input[name=type]:checked').inputValue(), 'inuse_space');
  t.match(await titleOf(page, 'main.inlines'), /^main\.inlines \.\/main\.go:\d+, 1\.\d+MB \(\d\d\.\d\d%\)$/);
  t.ok((await widthOf(page, 'all')) > 1000);
  t.equal(requests.length, 1);
  t.same(errors, []);
});

t.test('switches between figures', needs('chromium'), async (t) => {
  t.testdir({});
  const { page, errors } = await open(t, '--sample_index=inuse_space', after);
  const kept = await widthOf(page, 'main.garbage');
  await page.check('input[value=alloc_space]');
  t.ok((await widthThatIs(page, 'main.garbage', (width) => width > kept + 100)) > kept + 100);
  t.match(await titleOf(page, 'main.garbage'), /MB \(/);
  await page.check('input[value=alloc_objects]');
  t.match(await titleOf(page, 'main.garbage'), /, [\d,]+ \(/);
  t.same(errors, []);
});

t.test('zooms and comes back', needs('chromium'), async (t) => {
  t.testdir({});
  const { page, errors } = await open(t, after);
  const narrow = await widthOf(page, 'main.even');
  const isNarrow = (width: number) => Math.abs(width - narrow) < 0.1;
  const isWide = (width: number) => width > 1000;
  for (const back of [() => page.click('#reset'), () => page.keyboard.press('Escape')]) {
    await page.locator(frame('main.even')).first().click();
    t.ok(isWide(await widthThatIs(page, 'main.even', isWide)), 'zoomed in');
    await back();
    t.ok(isNarrow(await widthThatIs(page, 'main.even', isNarrow)), 'as before');
  }
  t.same(errors, []);
});

t.test('searches, for text or a regular expression', needs('chromium'), async (t) => {
  t.testdir({});
  const { page, errors } = await open(t, '-alloc_space', after);
  const plain = await colorOf(page, 'main.even');
  for (const term of ['EVEN', '^main\\.e', 'main.even']) {
    await page.fill('#search', term);
    t.equal(await colorOf(page, 'main.even'), '#e600e6', term);
    t.not(await colorOf(page, 'main.main'), '#e600e6');
    t.match(await page.textContent('#found'), /B \([\d.]+%\) in \d+ frames/);
  }
  await page.fill('#search', '(');
  t.not(await colorOf(page, 'main.even'), '#e600e6');
  await page.fill('#search', '');
  t.equal(await colorOf(page, 'main.even'), plain);
  t.equal(await page.textContent('#found'), '');
  t.same(errors, []);
});

t.test('with a base, colours tell what became more and less', needs('chromium'), async (t) => {
  t.testdir({});
  const { page, errors } = await open(t, '--base', before, after);
  t.ok(await page.isVisible('#legend'));
  const channels = async (name: string) => (await colorOf(page, name))!.match(/\d+/g)!.map(Number);
  const [red, , blue] = await channels('main.inlines');
  t.ok(red! > blue!, 'more');
  const [lessRed, , lessBlue] = await channels('main.grow');
  t.ok(lessRed! < lessBlue!, 'less');
  t.equal(await colorOf(page, 'main.main.func1'), '#ff9f40', 'new');
  t.match(await titleOf(page, 'main.inlines'), /, \+[\d.]+MB since the base profile \([\d.]+kB\)$/);
  const narrow = await widthOf(page, 'main.grow');
  await page.selectOption('#widths', 'base');
  t.ok((await widthThatIs(page, 'main.grow', (width) => width > narrow)) > narrow);
  t.same(errors, []);
});

t.test('names cannot break out of the page', needs('chromium'), async (t) => {
  t.testdir({});
  const file = path.join(t.testdirName, 'x<img src=x onerror=alert(1)>.txt');
  const hostile = [
    '</script><script>alert(2)</script>',
    '<img/src=x/onerror=alert(3)>',
    '<!--<script>',
    '"><svg/onload=alert(4)>',
    "'+alert(5)+'",
    '__proto__',
    '\u2028alert(6)',
  ];
  const records = hostile.map(
    (name, at) => `1: 4096 [2: 8192] @ 0x${at + 1}1\n#\t0x${at + 1}0\t${name}+0x0\t/<b>${name}.js:1\n`,
  );
  writeFileSync(file, `heap profile: 7: 28672 [14: 57344] @ heap/2\n${records.join('')}`);
  const { page, errors, requests } = await open(t, '--base', file, file);
  const names = await page.$$eval('#chart g.frame', (all) => all.map((each) => each.getAttribute('name')));
  for (const name of hostile.slice(0, 6)) t.ok(names.includes(name), name);
  for (const name of hostile.slice(0, 2)) {
    await page.fill('#search', name);
    await page.locator('#chart g.frame').nth(1).hover();
    await page.locator('#chart g.frame').nth(1).click();
  }
  t.equal(await page.locator('#chart img, #chart script, #details img, header img').count(), 0);
  t.equal(requests.length, 1);
  t.same(errors, []);
});

t.test('nothing to show', needs('chromium'), async (t) => {
  t.testdir({});
  const file = path.join(t.testdirName, 'empty.txt');
  writeFileSync(file, 'heap profile: 0: 0 [2: 8192] @ heap/2\n0: 0 [2: 8192] @ 0x11\n');
  const run = memprof(['flame', file, '-o', '-']);
  t.equal(run.code, 0);
  t.match(run.stdout, /^<!doctype html>/);
  t.notMatch(run.stdout, /https?:\/\/[^\s"']+\.(js|css)/);
  t.ok(readFileSync(file).length > 0);
});

t.test('a thousand frames deep, and deeper', needs('chromium'), async (t) => {
  t.testdir({});
  const file = path.join(t.testdirName, 'deep.txt');
  const stack = Array.from({ length: 3000 }, (_, at) => `0x${(at + 16).toString(16)}`).join(' ');
  writeFileSync(file, `heap profile: 1: 8 [1: 8] @ heap/2\n1: 8 [2: 16] @ ${stack}\n`);
  const { page, errors } = await open(t, file);
  t.ok((await page.locator('#chart g.frame').count()) > 900);
  t.same(errors, []);
});

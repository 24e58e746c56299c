import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { parseProfile } from '#dist/formats/readers.js';
import { HEAP_SAMPLE_TYPES } from '#dist/profile/heap-values.js';
import type { ProfileData, ProfileFrame } from '#dist/profile/model.js';
import { findingsOf, isSerious, needsAxe } from '../support/axe.js';
import { launchChromium } from '../support/chromium.js';
import { after, before, memprof } from '../support/cli.js';
import { needs } from '../support/tools.js';

let browser: Browser | undefined;
t.teardown(() => browser?.close());

interface Opened {
  page: Page;
  errors: string[];
  requests: string[];
  url: string;
}

async function open(t: Test, args: readonly string[], hash = '', width = 1200): Promise<Opened> {
  const file = path.join(t.testdirName, 'out.html');
  const run = memprof(['flame', ...args, '-o', file]);
  t.equal(run.code, 0, run.stderr);
  t.equal(run.stdout + run.stderr, '');
  browser ??= await launchChromium();
  const page = await browser.newPage({ viewport: { width, height: 800 } });
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
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url());
  });
  const url = pathToFileURL(file).href;
  await page.goto(url + hash);
  await page.waitForSelector('#legend li', { state: 'attached' });
  return { page, errors, requests, url };
}

/** The rows of the table, each as its cells. */
const rowsOf = (page: Page) =>
  page.evaluate<string[][]>(
    `Array.from(document.querySelectorAll('#functions tbody tr'), (row) =>
      Array.from(row.children, (cell) => cell.textContent.trim()))`,
  );

const ROW = 20;

/** What the page says of the frame at that row of the graph, and that share of its width. */
async function frameAt(page: Page, row: number, share: number): Promise<string> {
  const box = (await page.locator('#graph').boundingBox())!;
  await page.mouse.move(box.x + box.width * share, box.y + (row + 0.5) * ROW);
  return (await page.textContent('#details'))!;
}

async function clickAt(page: Page, row: number, share: number): Promise<void> {
  const box = (await page.locator('#graph').boundingBox())!;
  await page.mouse.click(box.x + box.width * share, box.y + (row + 0.5) * ROW);
}

function profileOf(stacks: readonly [ProfileFrame[], number][]): ProfileData {
  return {
    format: 'proto',
    sampleTypes: HEAP_SAMPLE_TYPES.map((each) => ({ ...each })),
    defaultSampleType: 'inuse_space',
    periodType: { type: 'space', unit: 'bytes' },
    period: 524288,
    comments: [],
    mappings: [],
    samples: stacks.map(([stack, bytes]) => ({
      values: [2, 2 * bytes, 1, bytes],
      stack,
      labels: {},
      numLabels: {},
    })),
  };
}

const frame = (functionName: string, fileName: string, lineNumber: number): ProfileFrame => ({
  functionName,
  fileName,
  lineNumber,
  address: 0,
});

const MIB = 2 ** 20;
const serve = frame('serve', '/app/server.js', 3);
const callback = frame('(anonymous)', '/app/server.js', 35);
const route = frame('route', '/app/node_modules/express/lib/router.js', 8);
const read = frame('readFileSync', 'node:fs', 441);
const small: [ProfileFrame[], number][] = [
  [[callback, route, serve], 6 * MIB],
  [[read, callback, serve], 3 * MIB],
  [[serve], MIB],
];

function write(t: Test, name: string, profile: ProfileData): string {
  const file = path.join(t.testdirName, name);
  writeFileSync(file, gzipSync(encodeProto(profile)));
  return file;
}

t.test(
  'the table and the graph, views, figures, search, zoom, and the address',
  needs('chromium'),
  async (t) => {
    t.testdir({});
    const file = write(t, 'small.pb.gz', profileOf(small));
    const { page, errors, requests, url } = await open(t, [file]);
    t.equal(await page.title(), 'small.pb.gz');
    t.equal(await page.textContent('#total'), '10.0 MB');
    t.same(
      await rowsOf(page),
      [
        ['6.00 MB 60.0 %', '±15.2 kB', '9.00 MB 90.0 %', '(anonymous server.js:35) /app/server.js:35'],
        ['3.00 MB 30.0 %', '±153 kB', '3.00 MB 30.0 %', 'readFileSync node:fs:441'],
        ['1.00 MB 10.0 %', '±436 kB', '10.0 MB 100.0 %', 'serve /app/server.js:3'],
        ['0 B 0 %', '', '6.00 MB 60.0 %', 'route /app/node_modules/express/lib/router.js:8'],
      ],
      'self, error, total, place',
    );
    t.match(await page.textContent('#legend'), /own code 70\.0 %.*Node\.js 30\.0 %/);

    await t.test('frames', async (t) => {
      t.match(
        await frameAt(page, 1, 0.5),
        /^serve \/app\/server\.js:3 · 10\.0 MB \(100\.0 %, 100\.0 % of its caller\)/,
      );
      t.match(await frameAt(page, 2, 0.3), /^route .* · 6\.00 MB \(60\.0 %/);
      t.match(await frameAt(page, 3, 0.3), /^\(anonymous server\.js:35\) /);
      t.match(await frameAt(page, 3, 0.7), /^readFileSync node:fs:441 /);
      t.match(await frameAt(page, 9, 0.3), /^Point at a frame/);
    });

    await t.test('zoom, and back', async (t) => {
      await clickAt(page, 2, 0.3);
      t.match(await frameAt(page, 2, 0.95), /^route /, 'it has all the width');
      const zoomed = page.url();
      t.match(zoomed, /zoom=\d+/);
      await page.click('#reset');
      t.match(await frameAt(page, 2, 0.7), /^\(anonymous server/);
      await page.goto('about:blank');
      await page.goto(zoomed);
      t.match(await frameAt(page, 2, 0.95), /^route /, 'the address has the zoom');
      await page.keyboard.press('Escape');
      t.match(await frameAt(page, 2, 0.7), /^\(anonymous server/);
    });

    await t.test('search', async (t) => {
      for (const term of ['SERVER', '^\\(anon|serve ']) {
        await page.fill('#search', term);
        await page.locator('#found', { hasText: 'frames' }).waitFor();
        t.match(await page.textContent('#found'), '10.0 MB (100.0 %) in 3 frames', term);
        t.equal((await rowsOf(page)).length, 2, 'the table is filtered');
        await page.keyboard.press('Escape');
        t.equal(await page.textContent('#found'), '');
      }
      await page.keyboard.press('/');
      await page.keyboard.type('express');
      await page.locator('#found', { hasText: '6.00 MB (60.0 %)' }).waitFor();
      await page.check('#only');
      t.equal(await page.textContent('#total'), '6.00 MB', 'only stacks with a match');
      t.match(page.url(), /q=express&only=1/);
      await page.goto('about:blank');
      await page.goto(`${url}#q=(`);
      t.match(
        await page.textContent('#found'),
        '9.00 MB (90.0 %) in 2 frames',
        'what is no expression is text',
      );
      await page.goto('about:blank');
      await page.goto(url);
    });

    await t.test('bottom up, and a sandwich', async (t) => {
      await page.click('[data-view=up]');
      t.match(await frameAt(page, 1, 0.3), /^\(anonymous server\.js:35\) .* 6\.00 MB/);
      t.match(await frameAt(page, 2, 0.3), /^route /);
      t.match(await frameAt(page, 1, 0.7), /^readFileSync /);
      await page.locator('#functions .name', { hasText: 'anonymous' }).click();
      t.ok(await page.locator('#callers').isVisible());
      t.match(await frameAt(page, 0, 0.5), /^\(anonymous server\.js:35\) .* 9\.00 MB/);
      t.match(await frameAt(page, 1, 0.2), /^readFileSync /);
      t.match(page.url(), /view=sandwich&fn=/);
      await page.keyboard.press('1');
      t.equal(await page.getAttribute('[data-view=down]', 'aria-pressed'), 'true');
    });

    await t.test('figures', async (t) => {
      await page.selectOption('#types', { label: 'Allocated (objects)' });
      t.equal(await page.textContent('#total'), '6');
      t.match(page.url(), /type=alloc_objects/);
      await page.selectOption('#types', { label: 'In use (bytes)' });
    });

    await t.test('keys, and copying', async (t) => {
      await page.focus('#graph canvas');
      for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
      t.match(await page.textContent('#details'), /^\(anonymous server\.js:35\) .* 3\.00 MB/);
      await page.click('#copy');
      await page.locator('#copy', { hasText: /Copied|Cannot/ }).waitFor();
      await page.focus('#graph canvas');
      await page.keyboard.press('Enter');
      t.match(page.url(), /zoom=\d+/);
    });

    await t.test('the profile can be downloaded', async (t) => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click('a[download]')]);
      t.equal(download.suggestedFilename(), 'profile.pb.gz');
      t.same(
        parseProfile(readFileSync((await download.path())!)).samples.map(({ values }) => values),
        small.map(([, bytes]) => [2, 2 * bytes, 1, bytes]),
      );
    });

    t.ok(
      requests.every((each) => each.startsWith(url) || each === 'about:blank'),
      'nothing else is loaded',
    );
    t.same(errors, []);
  },
);

t.test('with a base, colours and the table tell what became more and less', needs('chromium'), async (t) => {
  t.testdir({});
  const { page, errors } = await open(t, ['--base', before, after]);
  t.equal(await page.title(), `${path.basename(after)} compared with ${path.basename(before)}`);
  t.match(await page.textContent('#legend'), /new.*more.*same.*less/);
  const rows = await rowsOf(page);
  t.match(rows[0]![1], /^\+\d.* MB$/, 'sorted by what changed most');
  t.ok(
    rows.some(([, change]) => /^−/.test(change!)),
    'something became less',
  );
  t.match(await frameAt(page, 0, 0.5), /since the base profile \([\d.]+ [kM]B\)$/);
  await page.selectOption('#widths', 'base');
  t.match(page.url(), /width=base/);
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
  const { page, errors, requests } = await open(t, ['--base', file, file]);
  const names = await page.$$eval('#functions .name', (all) => all.map((each) => each.textContent));
  for (const name of hostile.slice(0, 6)) t.ok(names.includes(name), name);
  for (const name of hostile.slice(0, 2)) {
    await page.fill('#search', name);
    await frameAt(page, 1, 0.1);
    await clickAt(page, 1, 0.1);
    await page.locator('#functions .name').first().click();
  }
  t.equal(await page.locator('main img, main svg, main script, footer img, header img').count(), 0);
  t.equal(requests.length, 1);
  t.same(errors, []);
});

t.test('nothing to show', async (t) => {
  t.testdir({});
  const file = path.join(t.testdirName, 'empty.txt');
  writeFileSync(file, 'heap profile: 0: 0 [2: 8192] @ heap/2\n0: 0 [2: 8192] @ 0x11\n');
  const run = memprof(['flame', file, '-o', '-']);
  t.equal(run.code, 0);
  t.match(run.stdout, /^<!doctype html>/);
  t.notMatch(run.stdout, /https?:\/\/[^\s"']+\.(js|css)/);
});

t.test('100,000 frames open, and 10,000 frames one below the other', needs('chromium'), async (t) => {
  t.testdir({});
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const frames = Array.from({ length: 20_000 }, (_, at) =>
    frame(
      `function${at}`,
      `/app/${at % 3 === 0 ? 'src' : `node_modules/package${at % 11}/lib`}/file${at % 700}.js`,
      at % 900,
    ),
  );
  const wide = Array.from({ length: 10_000 }, (_, at): [ProfileFrame[], number] => [
    // Ten frames of its own for each stack, below one of a hundred handlers.
    [
      ...Array.from({ length: 10 }, () => frames[Math.floor(random() * frames.length)]!),
      frames[at % 100]!,
      serve,
    ],
    Math.ceil(random() ** 4 * MIB),
  ]);
  const deep = Array.from({ length: 10_000 }, (_, at) => frames[at]!);
  const file = write(t, 'large.pb.gz', profileOf([...wide, [deep, MIB]]));
  const { page, errors } = await open(t, [file]);
  const opened = await page.evaluate<number>("performance.getEntriesByType('navigation')[0].loadEventEnd");
  t.comment(`opened in ${Math.round(opened)} ms`);
  // 0.5 s on an idle machine; the tests' machine is anything but.
  t.ok(opened < 10_000);
  t.ok(readFileSync(path.join(t.testdirName, 'out.html')).length < 5 * MIB);
  t.equal(await page.locator('#notes').isVisible(), false, 'nothing is left out');
  t.equal(await page.evaluate("document.querySelector('#graph .space').clientHeight"), 10_001 * ROW);
  await page.click('[data-view=up]');
  t.match(await frameAt(page, 0, 0.5), /^all/);
  t.same(errors, []);
});

t.test('what is too small is added up, and the page says so; the table has all', async (t) => {
  t.testdir({});
  const frames = Array.from({ length: 1000 }, (_, at) => frame(`f${at}`, '/app/a.js', at));
  const stacks = Array.from({ length: 150_000 }, (_, at): [ProfileFrame[], number] => [
    [frames[at % 1000]!, frames[Math.floor(at / 1000)]!, frames[(at * 7) % 1000]!],
    at < 100 ? MIB : 16,
  ]);
  const run = memprof(['flame', write(t, 'many.pb.gz', profileOf(stacks)), '-o', '-']);
  const data = JSON.parse(/id="profile">(.*?)<\/script>/s.exec(run.stdout)![1]!);
  t.ok(run.stdout.length < 5 * MIB, `${run.stdout.length} bytes`);
  t.ok(data.pruned > 100_000 && data.prunedBelow < 0.001, `${data.pruned} below ${data.prunedBelow}`);
  t.ok(data.frames.length <= 120_000);
  const sum = (values: number[], of: number, step: number) =>
    values.reduce((total, value, at) => (at % step === of ? total + value : total), 0);
  const total = 100 * MIB + (stacks.length - 100) * 16;
  t.equal(sum(data.own, 3, 4), total, 'the graph adds up to the same');
  t.equal(sum(data.sums, 12, 16), total, 'and so does the table');
});

t.test('no serious findings of axe, at both widths, light and dark', needs('chromium'), async (t) => {
  if (needsAxe.skip !== false) {
    t.comment(`skipped: ${needsAxe.skip}`);
    return;
  }
  t.testdir({});
  const file = write(t, 'small.pb.gz', profileOf(small));
  for (const [width, colorScheme] of [
    [1200, 'light'],
    [1200, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const) {
    const { page } = await open(t, [file], '#view=sandwich', width);
    await page.emulateMedia({ colorScheme });
    const findings = await findingsOf(page);
    t.same(findings.filter(isSerious), [], `${width} ${colorScheme}`);
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'nothing sticks out');
  }
});

// The pages that a server shows besides the flame page (command/flame): axe-core finds nothing, and nothing
// sticks out on a telephone.
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import type { History } from '#dist/analysis/history.js';
import { formatHistoryPage } from '#dist/http/history-page.js';
import { indexPage } from '#dist/http/index-page.js';
import { findingsOf, needsAxe } from '../support/axe.js';
import { launchChromium } from '../support/chromium.js';
import { startApp } from '../support/http-app.js';
import { needs } from '../support/tools.js';

let browser: Browser | undefined;
t.teardown(() => browser?.close());

const LONG = `/app/${'a-long-name-without-a-space/'.repeat(6)}server.js`;

const history: History = {
  moments: [0, 1, 2, 3].map((at) => ({
    time: 1.7e9 + at * 60,
    heap: 1e7 * (at + 1),
    external: 1e6,
    rss: 1e8,
    inUse: 9e6,
    leftOut: 0,
  })),
  sites: ['remember /app/server.js:14', `handle ${LONG}:36`, '<b>"&'].map((name, of) => ({
    name,
    frames: [name],
    points: [0, 1, 2, 3].map((at): [number, number, number] => [1e6 * at * (of + 1), 2 * at, 1e6]),
  })),
};

const index = indexPage({
  program: LONG,
  pid: 4711,
  address: 'http://127.0.0.1:6060/debug/pprof/',
  entries: [{ name: 'heap', href: 'heap?debug=1', count: 12, description: 'What is in use' }],
  memory: ['Heap: 12.0 MB in use, of 20.0 MB.', 'At most 99 MB of RSS so far.'],
  status: ['It is running.'],
  members: [4711, 4712].map((pid) => ({
    pid,
    program: LONG,
    heap: 1e7,
    external: 1e6,
    rss: 1e8,
    socket: '',
  })),
  suffix: 'pid=4711',
});

const { skip } = needs('chromium');

t.test('no findings of axe, and nothing sticks out', { skip: skip || needsAxe.skip }, async (t) => {
  const { base } = await startApp(t, 'leaks');
  browser = await launchChromium();
  const goTo = (address: string) => (page: Page) => page.goto(`${base}/${address}`);
  const pages: [string, (page: Page) => Promise<unknown>][] = [
    ['index', goTo('')],
    ['memory', goTo('memory')],
    ['history, empty', goTo('history')],
    [
      'history',
      (page) => page.setContent(formatHistoryPage(history, 'server.js', (site) => `why?site=${site}`)),
    ],
    ['index of a family', (page) => page.setContent(index)],
    ['flame', goTo('flame')],
  ];
  // What axe says of colours does not depend on the width, so each is looked at once, unless there is time for all.
  const schemes = (width: number) =>
    process.env.MEMPROF_TEST_SOAK === '1'
      ? (['light', 'dark'] as const)
      : ([width === 390 ? 'light' : 'dark'] as const);
  for (const width of [1400, 390]) {
    for (const colorScheme of schemes(width)) {
      const context = await browser.newContext({
        viewport: { width, height: width === 390 ? 844 : 900 },
        colorScheme,
        bypassCSP: true,
      });
      for (const [name, open] of pages) {
        const page = await context.newPage();
        page.setDefaultTimeout(300_000);
        await open(page);
        const where = `${name}, ${width} px, ${colorScheme}`;
        t.same(await findingsOf(page), [], where);
        t.equal(
          await page.evaluate('document.documentElement.scrollWidth'),
          width,
          `${where}: nothing sticks out`,
        );
        await page.close();
      }
      await context.close();
    }
  }
});

import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t, { type Test } from 'tap';
import { launchChromium } from '../support/chromium.js';
import { fixtures, memprof } from '../support/cli.js';
import { needs } from '../support/tools.js';

const release = path.join(path.dirname(require.resolve('speedscope/package.json')), 'dist', 'release');
const app = path.join(fixtures, 'run', 'app.cjs');

/** The page of speedscope, and a file for it to open. */
async function serve(t: Test, file: string): Promise<string> {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
    try {
      response.setHeader('content-type', contentType(name));
      response.end(
        readFileSync(name === 'given.heapprofile' ? file : path.join(release, path.basename(name))),
      );
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function contentType(name: string): string {
  if (name.endsWith('.html')) return 'text/html';
  if (name.endsWith('.js')) return 'text/javascript';
  return name.endsWith('.css') ? 'text/css' : 'application/octet-stream';
}

t.test(
  'speedscope opens a .heapprofile, and shows its functions with their bytes',
  needs('chromium'),
  async (t) => {
    const folder = t.testdir({});
    t.equal(memprof(['run', '-q', '--dir', folder, '--sample-interval=32k', app]).code, 0);
    const proto = readdirSync(folder).find((name) => !name.startsWith('memprof-peak'));
    const file = path.join(folder, 'given.heapprofile');
    t.equal(
      memprof(['convert', '--sample_index=alloc_space', path.join(folder, proto!), '-o', file]).code,
      0,
    );

    const base = await serve(t, file);
    const browser = await launchChromium();
    t.teardown(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1200, height: 700 } });
    page.setDefaultTimeout(300_000);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${base}/index.html#profileURL=${encodeURIComponent(`${base}/given.heapprofile`)}`);
    await page.getByText('Sandwich').click({ timeout: 300_000 });
    // The table has "self" and "total" of every function, as bytes and percentages.
    const row = page.locator('tr', { hasText: 'keepsObjects' }).first();
    await row.waitFor({ timeout: 300_000 });
    const shown = (await row.textContent()) ?? '';
    t.match(shown, /\d+(\.\d+)? [KM]B/, `bytes: ${shown.replace(/\s+/g, ' ')}`);
    t.strictSame(errors, []);
    if (process.env.MEMPROF_TEST_SCREENSHOT)
      await page.screenshot({ path: process.env.MEMPROF_TEST_SCREENSHOT });
  },
);

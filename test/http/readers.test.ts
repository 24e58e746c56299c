import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parseProfile } from '#dist/index.js';
import { launchChromium } from '../support/chromium.js';
import { goPprof } from '../support/cli.js';
import { startApp } from '../support/http-app.js';
import { root } from '../support/run.js';
import { needs } from '../support/tools.js';

t.test('go tool pprof', needs('go'), async (t) => {
  const { base } = await startApp(t, 'leaks');
  const inUse = goPprof(['-top', `${base}/heap`]);
  t.match(inUse, /^Type: inuse_space$/m);
  t.match(
    inUse,
    / (?:9\d\.\d+|100)% +leakSite$/m,
    'the leak, with the array that grows, is nearly, or quite, all that is in use',
  );
  t.match(goPprof(['-top', `${base}/heap?debug=1`]), / leakSite$/m, 'a text, symbolized by POST');
  t.notMatch(goPprof(['-top', `${base}/heap?debug=1`]), '<unknown>');
  const allocs = goPprof(['-top', `${base}/allocs`]);
  t.match(allocs, /^Type: alloc_space$/m);
  t.match(allocs, /^ +\d+\S*B +[5-9]\d\.\d+% .* churnSite$/m, 'garbage is most of what was allocated');
  const delta = goPprof(['-top', '-sample_index=alloc_space', '-seconds=2', `${base}/heap`]);
  t.match(delta, /^Duration: 2(\.\d+)?s/m);
  t.match(delta, / churnSite$/m);
});

t.test('google-pprof', needs('google-pprof'), async (t) => {
  const { origin } = await startApp(t, 'leaks');
  const { status, stdout, stderr } = spawnSync('google-pprof', ['--text', `${origin}/pprof/heap`], {
    encoding: 'utf8',
  });
  t.equal(status, 0, stderr);
  t.match(stdout.split('\n')[1], /^ +\d+\.\d +(?:[89]\d\.\d|100\.0)%.* leakSite$/);
});

t.test('the live flame page, and that of a difference', needs('chromium'), async (t) => {
  const { base } = await startApp(t, 'leaks');
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1200, height: 700 } });
  page.setDefaultTimeout(300_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => errors.push(message.text()));
  await page.goto(`${base}/flame`);
  await page.locator('#functions .name', { hasText: 'leakSite' }).waitFor();
  t.equal(await page.locator('#live').isVisible(), true, 'it can be loaded again by itself');
  t.equal(await page.locator('a[download]').getAttribute('href'), 'heap');
  await page.goto(`${base}/flame?seconds=1&type=alloc_space`);
  await page.locator('#functions .name', { hasText: 'churnSite' }).waitFor();
  t.equal(await page.locator('#types option:checked').textContent(), 'Allocated (bytes)');
  t.match(await page.textContent('#legend'), /new.*more.*same.*less/, 'colours are explained');
  t.strictSame(errors, []);
});

t.test('answers while the main thread is busy', async (t) => {
  const { base, child } = await startApp(t, 'busy');
  // From now on the main thread does nothing but allocate: whatever is answered, is answered without its event loop.
  await once(child.stdout!, 'data');
  let last = Buffer.alloc(0);
  const timed = async (url: string) => {
    const began = performance.now();
    last = Buffer.from(await (await fetch(url)).arrayBuffer());
    return performance.now() - began;
  };
  // What a profile takes beyond a page that asks nothing of the main thread, in shares of what a thread gets here: others
  // may take their turns on the processors.
  const p90 = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.9) - 1]!;
  const p90Of20 = async () => {
    const times: number[] = [];
    const slowdowns: number[] = [];
    for (let i = 0; i < 20; i++) {
      slowdowns.push(slowdown());
      times.push(-(await timed(`${base}/`)) + (await timed(`${base}/heap`)));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [milliseconds, slow] = [p90(times), p90(slowdowns)];
    t.comment(
      `p90 of 20 requests: ${milliseconds.toFixed(1)} ms, where all takes ${slow.toFixed(1)} times as long`,
    );
    return milliseconds / slow;
  };
  let best = await p90Of20();
  for (let more = 0; more < 4 && best >= 100; more++) best = Math.min(best, await p90Of20());
  t.ok(best < 100, `p90 ${best.toFixed(1)} ms`);
  const bytes = new Map<string, number>();
  for (const { stack, values } of parseProfile(last).samples) {
    const name = stack[0]?.functionName ?? '';
    bytes.set(name, (bytes.get(name) ?? 0) + values[1]!);
  }
  t.equal([...bytes].sort((a, b) => b[1] - a[1])[0]?.[0], 'churnSite', 'the loop is what allocates');
  t.equal((await fetch(`${base}/heap?gc=1`)).status, 200, 'a collection as well');
});

/** How much longer 10 ms of work take here than a processor needs for them. */
function slowdown(): number {
  const [began, before] = [performance.now(), process.cpuUsage()];
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if (user + system >= 10_000) return Math.max(1, (performance.now() - began) / ((user + system) / 1000));
  }
}

t.test('the examples of docs/http.md', (t) => {
  const page = readFileSync(path.join(root, 'docs', 'http.md'), 'utf8');
  for (const url of ['/debug/pprof/heap', '/debug/pprof/allocs', '/pprof/heap', '/debug/pprof/flame']) {
    t.match(page, url);
  }
  t.end();
});

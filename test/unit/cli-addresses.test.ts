// Addresses of programs, as they are given to the command: what is fetched.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { isOfPages, pageUrl, profileUrl, shownUrl } from '#dist/cli/addresses.js';
import { download } from '#dist/cli/download.js';
import { fetchPage } from '#dist/cli/fetch-page.js';

t.test('the address of the pages stands for the heap profile', async (t) => {
  for (const given of [
    'http://a:6060',
    'http://a:6060/',
    'http://a:6060/debug/pprof',
    'http://a:6060/debug/pprof/',
  ]) {
    t.ok(isOfPages(given), given);
    t.equal(profileUrl(given).href, 'http://a:6060/debug/pprof/heap', given);
  }
  t.equal(profileUrl('http://a/in/debug/pprof/?seconds=5').href, 'http://a/in/debug/pprof/heap?seconds=5');
  for (const given of ['http://a/debug/pprof/allocs?gc=1', 'http://a/profiles/heap.pb.gz']) {
    t.notOk(isOfPages(given), given);
    t.equal(profileUrl(given).href, given);
  }
  t.throws(() => profileUrl('http://['), /not a valid URL/);
});

t.test('another page of the same program', async (t) => {
  for (const given of [
    'http://a:6060',
    'http://a:6060/debug/pprof/',
    'http://a:6060/debug/pprof/heap?gc=1#x',
  ])
    t.equal(pageUrl(given, 'why', { cost: '1' }).href, 'http://a:6060/debug/pprof/why?cost=1', given);
  t.equal(
    pageUrl('http://a/debug/pprof/?pid=4712', 'memory', {}).href,
    'http://a/debug/pprof/memory?pid=4712',
  );
  t.equal(shownUrl(new URL('http://me:secret@a/b')), 'http://a/b');
});

t.test(
  'what a server says when it refuses is told, and a page of another program is told apart',
  async (t) => {
    const server = createServer((request, response) => {
      if (request.url === '/page') response.end('<!doctype html>');
      else if (request.url === '/json') response.end(`{ "user": "${request.headers.authorization}" }`);
      else {
        const html = request.url === '/html';
        response.writeHead(404, { 'content-type': html ? 'text/html' : 'text/plain; charset=utf-8' });
        response.end(html ? '<p>no' : 'Buffers are not profiled\nsecond line');
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const at = (path: string) =>
      new URL(`http://me:secret@127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    const options = { timeoutMs: 60_000 };
    await t.rejects(download(at('/text'), options), { message: 'HTTP 404: Buffers are not profiled' });
    await t.rejects(download(at('/html'), options), { message: 'HTTP 404 Not Found' });
    await t.rejects(fetchPage(at('/page')), {
      message: /^http:\/\/127\S+\/page: the answer is not JSON: is this memprof/,
    });
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    t.same(JSON.parse(await fetchPage(at('/json'))), { user: basic });
  },
);

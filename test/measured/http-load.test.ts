import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import t from 'tap';
import { parseProfile } from '#dist/index.js';
import { scaled } from '../support/hazard.js';
import { programPath, startNode } from '../support/run.js';

t.test('profiles are fetched each second from an app under load', { timeout: 600_000 }, async (t) => {
  const seconds = scaled(t, 'seconds', 8, 60);
  const child = startNode(programPath('http-loaded'), { flags: [], stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const resident: number[] = [];
  const lines = createInterface({ input: child.stdout! });
  const [port] = (await once(lines, 'line')) as [string];
  lines.on('line', (line) => resident.push(Number(line)));

  const origin = `http://127.0.0.1:${port}`;
  const load = autocannon({ url: `${origin}/work`, connections: 50, duration: seconds });
  let profiles = 0;
  const deadline = Date.now() + seconds * 1000 - 1000;
  while (Date.now() < deadline) {
    await sleep(1000);
    const page = ['heap', 'allocs', 'heap?debug=1', 'heap?gc=1'][profiles % 4];
    const response = await fetch(`${origin}/debug/pprof/${page}`);
    t.equal(response.status, 200);
    const { samples } = parseProfile(Buffer.from(await response.arrayBuffer()));
    if (samples.length > 0) profiles++;
  }
  const { requests, errors, timeouts, non2xx } = await load;
  t.ok(profiles >= seconds / 2, `${profiles} profiles`);
  t.ok(requests.total > 100 * seconds, `${requests.total} requests`);
  t.strictSame({ errors, timeouts, non2xx }, { errors: 0, timeouts: 0, non2xx: 0 });
  // The first third is warm-up.
  const later = resident.slice(Math.floor(resident.length / 3));
  const middle = Math.floor(later.length / 2);
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const rise = median(later.slice(middle)) - median(later.slice(0, middle));
  t.ok(rise < 32 * 1024, `resident memory rises by ${rise} KiB (${resident.join(' ')})`);
});

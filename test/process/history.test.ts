import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parseProfile } from '#dist/index.js';
import { main, memprof } from '../support/cli.js';
import { programPath, startNode } from '../support/run.js';

const supported = process.platform === 'linux' && process.arch === 'x64';
const linuxOnly = process.platform === 'linux' ? false : 'the CPU time of a process is read from /proc';
const skip = supported ? false : 'objects are found only where samples are taken directly: on Linux x64';

async function startServer(t: Test, minutes: number): Promise<{ url: string; pid: number }> {
  const child = startNode(programPath('leaking-history'), {
    // What the optimiser inlines counts in the caller, and a site that changes its name in the middle is two that grow.
    flags: ['--expose-gc', '--no-opt', '--no-maglev'],
    args: [minutes],
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    child.stdin!.end();
    await once(child, 'exit');
  });
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return { url: line.trim(), pid: child.pid! };
}

/** CPU seconds that all threads of a process have taken. */
function cpuSecondsOf(pid: number): number {
  // After the name in parentheses: state, parent, …; user and system time are 14th and 15th in all, in ticks of 10 ms.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

t.test('a program that has leaked for an hour is diagnosed at once', async (t) => {
  const { url, pid } = await startServer(t, 60);
  const { code, stdout, stderr } = memprof(['leaks', `${url}heap?gc=1`]);
  t.equal(code, 0, stderr);
  t.equal(stderr, '');
  t.match(stdout, /^(59|60) profiles over (5[789]|60) minutes; in use: /);
  const lines = stdout.split('\n');
  const [row] = lines.filter((line) => / certain /.test(line));
  t.match(row, /certain {2}leak .*leaking-history\.cjs:\d+$/);
  t.notMatch(stdout, /certain {2}refill/, 'what is only replaced is no leak');

  await t.test('in less than two seconds of CPU time', { skip: linuxOnly }, (t) => {
    const before = cpuSecondsOf(pid);
    const timed = 'TIMEFORMAT="cpu %U %S"; time "$@"';
    const args = ['-c', timed, 'bash', process.execPath, main, 'leaks', url];
    const command = spawnSync('bash', args, { encoding: 'utf8' });
    const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(command.stderr) ?? [];
    const seconds = [Number(user) + Number(system), cpuSecondsOf(pid) - before];
    t.ok(
      seconds[0]! + seconds[1]! < 2,
      `${seconds[0]} s of the command, ${seconds[1]!.toFixed(2)} of the server`,
    );
    t.match(command.stdout, ' certain ');
    t.end();
  });

  await t.test('of Buffers as well', async (t) => {
    // 1,200 of 8,000 bytes, of which 39 % are sampled: the growth is 15 of its sigmas or more, and a certain one needs 4.
    const [, buffers] = stdout.split('\nBuffers:\n');
    t.match(buffers, /^(59|60) profiles over (5[789]|60) minutes; in use: /);
    t.match(buffers, /certain {2}keepUpload .*leaking-history\.cjs:\d+\n/);
    const report = (format: string) => memprof(['leaks', url, '--format', format]).stdout;
    t.match(report('md'), /Buffers:\n\n(.*\n)+\| .* \| certain \| `keepUpload /);
    const [first] = JSON.parse(report('json')).buffers.sites;
    t.match(first, { site: /^keepUpload /, verdict: 'certain' });
  });

  await t.test('of a shorter time', async (t) => {
    // About 280 samples in 29 steps: the slope is 15 of its sigmas, give or take one, and a certain one needs 4.
    const { stdout } = memprof(['leaks', url, '--since', '30m']);
    t.match(stdout, /^(29|30) profiles over (2[789]|30) minutes/);
    t.match(stdout, ' certain ');
    const wrong = memprof(['leaks', url, '--since', '30m', '--count', '3']);
    t.equal(wrong.code, 2);
    t.match(wrong.stderr, '--since is for what is remembered');
  });

  await t.test('memprof why explains what grows', { skip }, async (t) => {
    const { stdout, stderr, code } = memprof(['why', url]);
    t.equal(code, 0, stderr);
    t.match(stdout, /^leak .*leaking-history\.cjs:\d+ {4}/);
    t.match(stdout, /% {2}kept \(module scope, leaking-history\.cjs:\d+\)\[\]/);
  });

  await t.test('the page', async (t) => {
    const page = await fetch(`${url}history`);
    t.match(page.headers.get('content-type'), 'text/html');
    const html = await page.text();
    t.match(html, /<figcaption>heap after collections: /);
    t.match(html, /<figcaption>leak .*leaking-history\.cjs:\d+: .*; its growth is certain/);
    t.match(html, /<h2>Buffers, by site<\/h2>\s*<figure><figcaption>keepUpload .*; its growth is certain/);
    t.notMatch(html, '<script', 'it needs no script');
    const [, link] = /<a href="(why\?site=[^"]+)">What holds it\?<\/a>/.exec(html) ?? [];
    t.equal(link !== undefined, supported, 'it leads to what holds a site, where that can be asked');
    if (link !== undefined)
      t.match(await (await fetch(url + link)).text(), /^leak .*leaking-history\.cjs:\d+ /);
    t.equal((await fetch(`${url}history?since=1`)).status, 400);
  });

  await t.test('what changed between two moments', async (t) => {
    const between = await fetch(`${url}heap?from=-40m&to=-10m`);
    t.equal(between.status, 200);
    const profile = parseProfile(Buffer.from(await between.arrayBuffer()));
    t.ok(Math.abs(profile.durationNanos! / 60e9 - 30) < 1, `${profile.durationNanos}`);
    t.strictSame(
      profile.sampleTypes.map(({ type }) => type),
      ['inuse_objects', 'inuse_space'],
    );
    const grown = profile.samples.reduce((sum, { values }) => sum + values[1]!, 0);
    // 30 minutes of 20 arrays of 8,016 bytes; 4 sigma of a Poisson number of samples.
    const real = 30 * 20 * 8016;
    t.ok(Math.abs(grown - real) < 4 * Math.sqrt(2 * real * 16_384), `${grown} of ${real}`);
    const wrong = async (query: string) => (await fetch(`${url}heap?${query}`)).text();
    t.match(await wrong('from=-10m&to=-40m'), '"from" must be before "to"');
    t.match(await wrong('from=yesterday'), 'must be an age such as -30m, or now');
    t.equal((await fetch(`${url}heap?from=-30m&to=now`)).status, 200);
  });
});

t.test('a program that remembers too little is asked for profiles', async (t) => {
  const { url } = await startServer(t, 1);
  const { stderr, code } = memprof(['leaks', url, '--since', '1h']);
  t.equal(code, 1);
  t.match(stderr, /the program remembers \d moments? of that time, which is too few/);
});

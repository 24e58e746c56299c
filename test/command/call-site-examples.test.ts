// `memprof run --call-sites` shows the line of each leak of the programs in the documentation: that of the guide, and the leaky
// server of examples/.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { main, memprof, plainNode } from '../support/cli.js';
import { allBlocks, exampleIn } from '../support/docs.js';
import { copyExamples } from '../support/examples.js';
import { outcomeOf, root } from '../support/run.js';

const supported =
  process.platform === 'linux' && process.arch === 'x64' && Number(process.versions.node.split('.')[0]) >= 22;
const skip = supported ? false : 'lines of calls need Node.js 22 and Linux on x64';

/** The end of a row: some calls may have been inlined. */
const END = '(?: \\((?:partial-)?inline\\))?$';

const run = ['run', '--call-sites', '--buffers', '--sample-interval', '16k', '--dir', 'out'];

/** What is in use at the end, by lines. */
function keptBy(t: Test, directory: string, profile: RegExp): string {
  const out = path.join(directory, 'out');
  const file = readdirSync(out).find((name) => profile.test(name))!;
  const { code, stdout, stderr } = memprof(['top', '--lines', '--nodecount=0', path.join(out, file)]);
  t.equal(code, 0, stderr);
  return stdout;
}

t.test('the program of the guide', { skip }, (t) => {
  const { text } = allBlocks()
    .filter(({ page }) => page === 'docs/guide.md')
    .map((block) => exampleIn(block))
    .find((example) => example?.language === 'js')!;
  const lineOf = (part: string) => text.split('\n').findIndex((line) => line.includes(part)) + 1;
  const directory = t.testdir({ 'shop.js': text.replace('100_000', '10_000') });
  const { code, stderr } = memprof([...run, 'shop.js'], { cwd: directory });
  t.equal(code, 0, stderr);
  t.match(stderr, new RegExp(` renderRow \\S*shop\\.js:${lineOf('<tr>')}$`, 'm'), 'what allocates most');
  const kept = keptBy(t, directory, /^memprof\.\d/);
  for (const [name, part] of [
    ['\\(anonymous shop\\.js:\\d+\\)', '({ name,'],
    ['parseItems', '.map((name)'],
    ['handleRequest', 'parseItems(`'],
    ['handleRequest', '.join('],
    ['nextRequest', 'handleRequest(id++)'],
  ] as const)
    t.match(kept, new RegExp(` ${name} \\S*shop\\.js:${lineOf(part)}${END}`, 'm'), `${name}, ${part}`);
  t.end();
});

t.test('examples/leaky-server', { skip }, async (t) => {
  const directory = path.join(copyExamples(t), 'leaky-server');
  const [command, ...before] = plainNode;
  const child = spawn(command, [...before, main, ...run, 'server.js'], {
    cwd: directory,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const [, url, pid] = /^(http:\S+), process (\d+)/.exec(String(said))!;
  const ended = outcomeOf(child);
  // Each leaves some 10 kB on three lines, and a Buffer of 16 KiB.
  for (let n = 0; n < 400; n += 8) {
    const answers = Array.from({ length: 8 }, (_, of) => fetch(`${url}?n=${n + of}`));
    for (const answer of answers) await (await answer).text();
  }
  process.kill(Number(pid), 'SIGTERM');
  await ended;
  const lines = readFileSync(path.join(directory, 'server.js'), 'utf8').split('\n');
  const lineOf = (part: string) => lines.findIndex((line) => line.includes(part)) + 1;
  const kept = keptBy(t, directory, /^memprof\.\d/);
  for (const [name, part] of [
    ['rememberSession', 'visits:'],
    ['\\(anonymous server\\.js:\\d+\\)', 'visits:'],
    ['subscribe', 'const history'],
    ['\\(anonymous server\\.js:\\d+\\)', 'const history'],
  ] as const)
    t.match(kept, new RegExp(` ${name} \\S*server\\.js:${lineOf(part)}${END}`, 'm'), `${name}, ${part}`);
  const buffers = keptBy(t, directory, /^memprof-buffers\./);
  t.match(buffers, new RegExp(` keepUpload \\S*server\\.js:${lineOf('Buffer.alloc')}${END}`, 'm'));
});

// Code that Maglev inlines, which has no lines then.
const INLINED = `
  function list(n) { const before = n;
    return new Array(before).fill(n);
  }
  function work(i) { return [list(24), list(72), i]; }
  for (let i = 0; i < 20_000; i++) work(i);
  gc();
  const { callSites } = require(${JSON.stringify(path.join(root, 'dist'))}).status();
  console.log(JSON.stringify(callSites));
`;

t.test('memprof run keeps Maglev from inlining', { skip }, (t) => {
  const directory = t.testdir({ 'work.js': INLINED });
  const sharesOf = (options: string[], flags: string[]) => {
    const args = ['run', ...options, '--sample-interval', '4096', '--max-overhead', '1', '--quiet', '--'];
    const { code, stdout, stderr } = memprof([...args, '--expose-gc', '--no-opt', ...flags, 'work.js'], {
      cwd: directory,
    });
    t.equal(code, 0, stderr);
    return JSON.parse(stdout) as { samples: number; unknown: number };
  };
  const { samples, unknown } = sharesOf(['--call-sites'], ['--maglev']);
  t.ok(samples > 1000, `${samples} samples`);
  t.ok(unknown < 0.02 * samples, `${unknown} have no line`);
  // Here V8 would end the process. Such flags keep Maglev's code as it is.
  const frozen = sharesOf(['--call-sites'], ['--maglev', '--freeze-flags-after-init']);
  t.ok(frozen.samples > 1000, `${frozen.samples} samples`);
  if (Number(process.versions.node.split('.')[0]) >= 24)
    t.ok(frozen.unknown > 0.2 * frozen.samples, `${frozen.unknown} have no line`);
  t.end();
});

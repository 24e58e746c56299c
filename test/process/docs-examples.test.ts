// Runs the commands of the documentation as they stand there, in a folder with the files that they name. Changed are only
// ports and ids of processes, and how long `leaks` waits between two profiles.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { after, before, main, plainNode } from '../support/cli.js';
import { root } from '../support/run.js';
import { findTool } from '../support/tools.js';

const pages = [
  'README.md',
  'docs/command.md',
  'docs/http.md',
  'docs/leaks.md',
  'docs/memory.md',
  'docs/fleet.md',
];

/** The lines of the shell in a page that memprof or a reader of profiles runs. */
function commandsOf(page: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  return (
    [...text.matchAll(/^```sh\n(.*?)^```/gms)]
      .flatMap(([, block]) => block!.split('\n'))
      .map((line) => line.replace(/\s+#.*$/, ''))
      .filter((line) => /^(npx memprof|go tool pprof|curl|google-pprof) /.test(line))
      // What `npm start` makes in a clone.
      .filter((line) => !line.includes('profiles/'))
  );
}

// The same stack of memory that the pages talk about.
const program = `
  const kept = [];
  function Cache() {}
  // A generator is never inlined, and so is in every profile.
  Cache.prototype.set = function* (value) { kept.push({ value, more: [value] }); };
  function handler(value) { new Cache().set(value).next(); }
  for (let i = 0; i < 300_000; i++) handler(i);
  kept.push(Buffer.alloc(3e6), new Array(500_000).fill(1));`;

const folder = t.testdir({
  'app.js': program,
  'shop.js': program,
  node_modules: { '.bin': {} },
  bin: {},
});
const inFolder = (...names: string[]) => path.join(folder, ...names);
symlinkSync(root, inFolder('node_modules/memprof'));
copyFileSync(path.join(root, 'examples/leaky-server/server.js'), inFolder('server.js'));
const [node, ...nodeFlags] = plainNode;
function script(name: string, text: string): void {
  writeFileSync(inFolder(name), `#!/bin/sh\n${text}\n`);
  chmodSync(inFolder(name), 0o755);
}
script('bin/npx', `shift; exec ${[node, ...nodeFlags].join(' ')} ${main} "$@"`);
script('bin/xdg-open', `echo "$1" > ${inFolder('opened')}`);
script('node_modules/.bin/vitest', `exec ${process.execPath} app.js`);
for (const name of ['before', 'web1']) copyFileSync(before, inFolder(`${name}.pb.gz`));
for (const name of ['web2']) copyFileSync(after, inFolder(`${name}.pb.gz`));

const env = { ...process.env, PATH: `${inFolder('bin')}:${process.env.PATH}`, NODE_OPTIONS: '' };

function start(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

interface Ended {
  code: number | null;
  output: string;
}

async function run(line: string): Promise<Ended> {
  const child = start('sh', ['-c', `exec ${line}`]);
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // It serves until it is told to end.
      if (/ memprof open /.test(line) && output.includes('until Ctrl-C')) child.kill('SIGINT');
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

t.test('every command of the documentation runs', { timeout: 280_000 }, async (t) => {
  const server = start(node, [...nodeFlags, '--import', 'memprof/register', 'server.js'], {
    PORT: '0',
    MEMPROF_HTTP: '0',
    MEMPROF_SAMPLE_INTERVAL: '16k',
    MEMPROF_DIRECT_SAMPLES: '1',
  });
  const bare = start(node, [...nodeFlags, 'server.js'], { PORT: '0' });
  const [[said], [address], [bareSaid]] = (await Promise.all([
    once(server.stdout!.setEncoding('utf8'), 'data'),
    once(server.stderr!.setEncoding('utf8'), 'data'),
    once(bare.stdout!.setEncoding('utf8'), 'data'),
  ])) as [[string], [string], [string]];
  t.match(bareSaid, 'http://');
  const port = /:(\d+)\/debug/.exec(address)![1]!;
  const client = start(node, [
    ...nodeFlags,
    path.join(root, 'examples/leaky-server/client.js'),
    /http:\S+(?=,)/.exec(said)![0],
    '120',
  ]);
  t.equal(client.exitCode, null);

  // What is there before it is named.
  const made = await run(`npx memprof run -q --sample-interval 4k app.js`);
  t.equal(made.code, 0, made.output);
  const profile = readdirSync(folder).find((name) => /^memprof\.\d.*\.pb\.gz$/.test(name))!;
  copyFileSync(inFolder(profile), inFolder('after.pb.gz'));
  copyFileSync(inFolder(profile), inFolder('before.pb.gz'));
  for (let at = 1; at <= 5; at++) {
    const file = inFolder(`heap.${at}.pb.gz`);
    writeFileSync(
      file,
      Buffer.from(await (await fetch(`http://127.0.0.1:${port}/debug/pprof/heap`)).arrayBuffer()),
    );
  }

  let count = 0;
  const done = new Set<string>();
  for (const page of pages) {
    for (const command of commandsOf(page)) {
      if (done.has(command)) continue;
      done.add(command);
      const [tool] = command.split(' ');
      if (tool !== 'npx' && findTool(tool as 'go') === undefined && tool !== 'curl') {
        t.comment(`skipped: ${tool} is not installed: ${command}`);
        continue;
      }
      const line = command
        .replace(/(localhost|127\.0\.0\.1|web3|HOST):6060/g, `127.0.0.1:${port}`)
        .replace('4711', String(bare.pid))
        .replace('--every 1m', '--every 100ms')
        .replace('-seconds=30', '-seconds=1')
        // It remembers too little, and would fetch profiles for a minute.
        .replace(/(memprof leaks \S+pprof\/)$/, '$1 --count 2 --every 500ms');
      const { code, output } = await run(line);
      // The server has just begun, and remembers one moment.
      const tooEarly = /--since/.test(line) && /which is too few\n$/.test(output);
      t.equal(code, tooEarly ? 1 : 0, `${page}: ${command}`, { output });
      t.ok(output.length > 10 || /-o /.test(line), `${page}: it says something: ${command}`);
      count++;
    }
  }
  t.ok(count >= 15, `${count} commands`);
  t.ok(existsSync(inFolder('flame.html')), 'the page is there');
  t.match(
    readFileSync(inFolder('opened'), 'utf8'),
    /^http:\/\/127\.0\.0\.1:\d+\/\n$/,
    'the browser was asked',
  );
});

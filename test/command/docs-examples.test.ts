// Runs the examples of README.md, CONTRIBUTING.md, docs/ and examples/ as they stand there, in a folder with the files that they
// name: blocks of shell and JavaScript, and what follows a prompt in a transcript. Changed are only ports and ids of
// processes, how long `leaks` waits between two profiles, and how long the program of the guide runs. An example that is new
// must run here, or say above itself why it does not: `<!-- not run: REASON -->`.
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
import { allBlocks, type Example, exampleIn, examplesOf, isForgotten } from '../support/docs.js';
import { ingestServer } from '../support/ingest-server.js';
import { root } from '../support/run.js';
import { findTool } from '../support/tools.js';

/** Commands that other tests run. */
const ELSEWHERE = new Map([
  ['npm install memprof', 'test/release/install.test.ts installs the package'],
  [
    'npm ci && npm start',
    'CI installs and builds; the program of `npm start` runs below with MEMPROF_TEST_SOAK=1',
  ],
  ['npm test', 'CI runs the tests'],
]);

const examples = allBlocks().flatMap((block) => exampleIn(block) ?? []);

/** The lines of a block of shell that are commands, without their comments. */
function commandsOf({ text }: Example): string[] {
  return text
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)#.*$/, ''))
    .filter((line) => line !== '');
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

/** The program of the guide, which handles 100,000 requests there. */
const shop = examples
  .find(({ page, language }) => page === 'docs/guide.md' && language === 'js')!
  .text.replace('100_000', '5_000');

const folder = t.testdir({
  'app.js': program,
  'shop.js': shop,
  node_modules: { '.bin': {} },
  bin: {},
  profiles: {},
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

symlinkSync(path.join(root, 'node_modules/prom-client'), inFolder('node_modules/prom-client'));

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

/** What tells that a command that runs for ever has come up: then it is ended. */
const SERVES = /until Ctrl-C|serves http:\S+\n/;

async function run(command: string, args: readonly string[], endsByItself: boolean): Promise<Ended> {
  const child = start(command, args, { PORT: '0' });
  let output = '';
  let ended = false;
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (endsByItself || ended || !SERVES.test(output)) return;
      ended = true;
      child.kill('SIGINT');
    });
  }
  const [code] = await once(child, 'close');
  return { code: ended ? 0 : code, output };
}

/** Those that are set for one command. */
const VARIABLES = /^(\w+=("[^"]*"|\S+) )+/;

const runLine = (line: string) =>
  run('sh', ['-c', `exec ${line.replace(VARIABLES, 'env $&')}`], !/ memprof open |=0 .*node /.test(line));

t.test('blocks are found, and the reasons of those that do not run', (t) => {
  const fence = '```';
  const text = `${fence}sh\na \\\n  b\n${fence}\n<!-- not run: why -->\n\n- x\n\n  ${fence}js\n  1;\n  ${fence}\n${fence}\nsh\n${fence}\n
<!-- not run: it needs a cluster -->\n\n${fence}bash\nkubectl\n${fence}\n`;
  t.same(examplesOf('x.md', text), [
    { page: 'x.md', line: 1, language: 'sh', text: 'a \\\n  b' },
    { page: 'x.md', line: 9, language: 'js', text: '1;' },
    { page: 'x.md', line: 18, language: 'sh', text: 'kubectl', notRun: 'it needs a cluster' },
  ]);
  t.same(commandsOf(examplesOf('x.md', text)[0]!), ['a b']);
  const shown = `${fence}\n$ npx a\noutput\n$ npx b\n${fence}\n${fence}dockerfile\nENV A=1\n${fence}\n`;
  t.same(
    examplesOf('x.md', shown).map(({ text }) => text),
    ['npx a\nnpx b', 'A=1 node app.js'],
  );
  t.same(
    ['x: 1', '-', 'npx a', 'const a = 1;'].map((text) =>
      isForgotten({ page: '', line: 1, language: '', text }),
    ),
    [false, false, true, true],
  );
  t.ok(isForgotten({ page: '', line: 1, language: 'yaml', text: '' }), 'no test knows the language');
  t.same(
    allBlocks()
      .filter(isForgotten)
      .map(({ page, line }) => `${page}:${line}`),
    [],
    'every block is run, or says why not, or is output',
  );
  for (const { page, line, notRun } of examples) {
    if (notRun !== undefined) t.comment(`not run: ${page}:${line}: ${notRun}`);
  }
  t.end();
});

t.test('every command of the documentation runs', { timeout: 600_000 }, async (t) => {
  const server = start(node, [...nodeFlags, '--import', 'memprof/register', 'server.js'], {
    PORT: '0',
    MEMPROF_HTTP: '0',
    MEMPROF_SAMPLE_INTERVAL: '16k',
    MEMPROF_DIRECT_SAMPLES: '1',
  });
  let serverSaid = '';
  const bare = start(node, [...nodeFlags, 'server.js'], { PORT: '0' });
  const [[said], [address], [bareSaid]] = (await Promise.all([
    once(server.stdout!.setEncoding('utf8'), 'data'),
    once(server.stderr!.setEncoding('utf8'), 'data'),
    once(bare.stdout!.setEncoding('utf8'), 'data'),
  ])) as [[string], [string], [string]];
  server.stderr!.on('data', (text: string) => {
    serverSaid += text;
  });
  t.match(bareSaid, 'http://');
  const port = /:(\d+)\/debug/.exec(address)![1]!;
  const client = start(node, [
    ...nodeFlags,
    path.join(root, 'examples/leaky-server/client.js'),
    /http:\S+(?=,)/.exec(said)![0],
    // Slowly, so that the heap of which `why` takes snapshots stays small on a busy machine.
    '10',
  ]);
  t.equal(client.exitCode, null);

  // What is there before it is named.
  const made = await runLine('npx memprof run -q --sample-interval 4k app.js');
  t.equal(made.code, 0, made.output);
  const profile = readdirSync(folder).find((name) => /^memprof\.\d.*\.pb\.gz$/.test(name))!;
  t.equal((await runLine('npx memprof run -q --dir shop --sample-interval 16k shop.js')).code, 0);
  const ofShop = readdirSync(inFolder('shop')).find((name) => /^memprof\.\d.*\.pb\.gz$/.test(name))!;
  for (const [name] of examples
    .map(({ text }) => text)
    .join(' ')
    .matchAll(/memprof\.\d{8}\.\S+\.pb\.gz/g))
    copyFileSync(inFolder('shop', ofShop), inFolder(name));
  copyFileSync(inFolder(profile), inFolder('after.pb.gz'));
  copyFileSync(inFolder(profile), inFolder('before.pb.gz'));
  t.equal((await runLine(`npx memprof convert ${profile} -o profiles/compiler.heap.txt`)).code, 0);
  for (let at = 1; at <= 5; at++) {
    const file = inFolder(`heap.${at}.pb.gz`);
    writeFileSync(
      file,
      Buffer.from(await (await fetch(`http://127.0.0.1:${port}/debug/pprof/heap`)).arrayBuffer()),
    );
  }

  let count = 0;
  const done = new Set<string>();
  for (const example of examples) {
    if (example.language !== 'sh' || example.notRun !== undefined) continue;
    const where = `${example.page}:${example.line}`;
    for (const command of commandsOf(example)) {
      if (done.has(command)) continue;
      done.add(command);
      const elsewhere = ELSEWHERE.get(command);
      if (elsewhere !== undefined) {
        t.comment(`${command}: ${elsewhere}`);
        continue;
      }
      if (/^kill -USR2 \S+$/.test(command)) {
        const before = serverSaid.split('memprof: wrote').length;
        server.kill('SIGUSR2');
        while (serverSaid.split('memprof: wrote').length === before && server.exitCode === null)
          await once(server.stderr!, 'data');
        t.match(serverSaid, /wrote \S*memprof\.\S+\.pb\.gz/, `${where}: ${command}`);
        continue;
      }
      const tool = command.replace(VARIABLES, '').split(' ')[0]!;
      if (tool === 'go' || tool === 'google-pprof') {
        if (findTool(tool) === undefined) {
          t.comment(`skipped: ${tool} is not installed: ${command}`);
          continue;
        }
      } else if (!['npx', 'node', 'curl'].includes(tool)) {
        t.fail(`${where} is neither run by a test nor marked by <!-- not run: REASON -->: ${command}`);
        continue;
      }
      const line = command
        .replace(/(localhost|127\.0\.0\.1|web3|HOST):6060/g, `127.0.0.1:${port}`)
        .replace(/\bMEMPROF_HTTP=\d+/, 'MEMPROF_HTTP=0')
        .replace('MEMPROF_DIR=/profiles', 'MEMPROF_DIR=profiles')
        .replace(/ (4711|PID)\b/, ` ${bare.pid}`)
        .replace(/--every \d+[ms]\b/, '--every 100ms')
        .replace('-seconds=30', '-seconds=1')
        // It remembers too little, and would fetch profiles for a minute.
        .replace(/(memprof leaks \S+pprof\/)$/, '$1 --count 2 --every 500ms');
      const { code, output } = await runLine(line);
      // The server has just begun, and remembers one moment.
      const tooEarly = /--since/.test(line) && /which is too few\n$/.test(output);
      t.equal(code, tooEarly ? 1 : 0, `${where}: ${command}`, { output });
      if (tool !== 'node')
        t.ok(output.length > 10 || /-o /.test(line), `${where}: it says something: ${command}`);
      count++;
    }
  }
  t.ok(count >= 20, `${count} commands`);
  t.ok(existsSync(inFolder('flame.html')), 'the page is there');
  t.match(
    readFileSync(inFolder('opened'), 'utf8'),
    /^http:\/\/127\.0\.0\.1:\d+\/\n$/,
    'the browser was asked',
  );
});

// What the examples in JavaScript leave to the reader.
const READERS_OWN = `
  import { createRequire } from 'node:module';
  const require = createRequire(import.meta.url);
  const here = createRequire(${JSON.stringify(path.join(root, 'package.json'))});
  Object.assign(globalThis, {
    memprof: require('memprof'),
    fs: require('node:fs/promises'),
    createServer: require('node:http').createServer,
    module: {},
    app: here('express')(),
    fastify: here('fastify')(),
    file: require('node:fs').createWriteStream('written.pb.gz'),
    record: { allocBytes: 4096, allocObjects: 2 },
    parseLine: (line) => { const at = line.indexOf('='); return [line.slice(0, at), line.slice(at + 1)]; },
    answer: (request, response) => response.end(),
  });
`;

t.test('every example in JavaScript runs', { timeout: 600_000 }, async (t) => {
  const pyroscope = await ingestServer(t);
  const done = new Set<string>();
  writeFileSync(inFolder('own.mjs'), READERS_OWN);
  writeFileSync(inFolder('started.mjs'), "import './own.mjs'; memprof.start({ sampleInterval: 1024 });");
  for (const example of examples) {
    if (example.language !== 'js' || example.notRun !== undefined || done.has(example.text)) continue;
    done.add(example.text);
    const text = example.text.replace('http://pyroscope:4040', pyroscope.url).replace('6060', '0');
    // One that has tests ends when they have run.
    const end = /['"]node:test['"]/.test(text) ? '' : '\nprocess.exit();\n';
    const name = `example-${done.size}.mjs`;
    // An example of exporting or serving is part of a program that is profiled.
    const own = /memprof\.start\(|memprof\/bench/.test(text) ? 'own' : 'started';
    // Imports come before everything else, wherever they stand.
    writeFileSync(
      inFolder(name),
      `import './${own}.mjs'; import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);\n${text}${end}`,
    );
    const { code, output } = await run(node, [...nodeFlags, name], true);
    t.equal(code, 0, `${example.page}:${example.line}`, { output, text });
  }
  t.ok(done.size >= 10, `${done.size} examples`);
  t.ok(pyroscope.requests.length >= 1, 'the example of Pyroscope pushed');
});

t.test(
  'npm start',
  { skip: process.env.MEMPROF_TEST_SOAK !== '1' && 'MEMPROF_TEST_SOAK=1 runs it' },
  async (t) => {
    const { code, output } = await run(
      node,
      [...nodeFlags, path.join(root, 'bench/profile-compiler.cjs')],
      true,
    );
    t.equal(code, 0, output);
    t.match(output, /Where it allocates[\s\S]*createBaseNode[\s\S]*What is still in use/);
  },
);

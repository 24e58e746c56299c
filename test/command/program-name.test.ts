// Profiles, pages and what is pushed call the program by one name, however it was started.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { parseProfile } from '#dist/index.js';
import { programPath, root, runCommand } from '../support/run.js';

const helper = programPath('program-name');
const register = path.join(root, 'dist', 'register.js');
const PRINT = `require(${JSON.stringify(helper)}).print();`;

interface Pages {
  heap: string;
  flame: string;
  cmdline: string[];
}

interface Report {
  file: string;
  pushed: string;
  served: Pages;
  mounted: Pages;
}

const folder = realpathSync(
  t.testdir({
    'app.js': PRINT,
    'esm.mjs': `import helper from ${JSON.stringify(pathToFileURL(helper).href)}; helper.print();`,
    'bundle.cjs': `(() => { const modules = { main() { ${PRINT} } }; modules.main(); })();`,
    'thread.cjs': `
      const { Worker, isMainThread } = require('node:worker_threads');
      const { report } = require(${JSON.stringify(helper)});
      if (isMainThread) {
        require(${JSON.stringify(path.dirname(register))}).start();
        new Worker(__filename.replace('thread', 'worker'));
      }`,
    'worker.cjs': PRINT,
    'launcher.cjs': `
      process.argv[1] = require('node:path').join(__dirname, 'app.js');
      require('./app.js');`,
    pack: { 'package.json': '{ "main": "lib/main" }', lib: { 'main.js': PRINT } },
    plain: { 'index.js': PRINT },
    'package.json': `{ "scripts": { "start": "node app.js one" } }`,
  }),
);
const inFolder = (name: string) => path.join(folder, name);

function isCalled(t: Test, output: string, name: string, cmdline: readonly string[]) {
  const { file, pushed, served, mounted } = JSON.parse(output.trim().split('\n').at(-1)!) as Report;
  t.strictSame({ file, pushed }, { file: name, pushed: name });
  const pages = { heap: name, flame: name, cmdline: [process.execPath, ...cmdline] };
  t.strictSame({ served, mounted }, { served: pages, mounted: pages });
}

const IMPORT = ['--import', pathToFileURL(register).href];
const REQUIRE = ['--require', register];

// How it is started, the name, and the command line as Node.js hands it on; from where, if not from its folder.
const starts: [string, string[], string, string[], string?][] = [
  ['a script', ['app.js', 'one'], 'app.js', ['@app.js', 'one']],
  ['--import', [...IMPORT, 'app.js'], 'app.js', [...IMPORT, '@app.js']],
  ['-r', [...REQUIRE, 'app.js'], 'app.js', [...REQUIRE, '@app.js']],
  ['without its extension', ['app'], 'app.js', ['@app']],
  ['ESM', [...IMPORT, 'esm.mjs'], 'esm.mjs', [...IMPORT, '@esm.mjs']],
  ['a bundle', ['bundle.cjs'], 'bundle.cjs', ['@bundle.cjs']],
  ['node . with a main file', [...REQUIRE, '.'], 'pack/lib/main.js', [...REQUIRE, '@pack'], 'pack'],
  ['node . without', ['.'], 'plain/index.js', ['@plain'], 'plain'],
  ['a launcher', ['launcher.cjs'], 'app.js', ['@app.js']],
  ['a worker', ['thread.cjs', 'one'], 'thread.cjs', ['@thread.cjs', 'one']],
];

for (const [how, args, name, cmdline, from = ''] of starts) {
  t.test(how, async (t) => {
    const { code, stdout, stderr } = await runCommand(
      'env',
      ['-u', 'NODE_OPTIONS', process.execPath, ...args],
      { cwd: inFolder(from) },
    );
    t.equal(code, 0, stderr);
    const expected = cmdline.map((each) => (each.startsWith('@') ? inFolder(each.slice(1)) : each));
    isCalled(t, stdout, inFolder(name), expected);
  });
}

t.test('-e: its first argument is not the program', async (t) => {
  const args = ['-u', 'NODE_OPTIONS', process.execPath, ...REQUIRE, '-e', PRINT, 'app.js'];
  const { stdout } = await runCommand('env', args, { cwd: folder });
  isCalled(t, stdout, process.execPath, [...REQUIRE, '-e', PRINT, 'app.js']);
});

for (const [how, args] of [
  ['standard input', []],
  ['standard input by name', ['-']],
  ['the REPL', ['-i']],
] as const) {
  t.test(how, async (t) => {
    const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('cmdline')) child.stdin.end();
    });
    child.stdin.write(`${PRINT}\n`);
    if (how !== 'the REPL') child.stdin.end();
    await once(child, 'close');
    const json = /\{"file".*\}/.exec(output)?.[0] ?? output;
    isCalled(t, json, process.execPath, how === 'the REPL' ? ['-i'] : [...args]);
  });
}

t.test('npm run', async (t) => {
  const { code, stdout, stderr } = await runCommand(
    'env',
    ['-u', 'NODE_OPTIONS', 'npm', 'start', '--silent'],
    {
      cwd: folder,
      env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH}` },
    },
  );
  t.equal(code, 0, stderr);
  isCalled(t, stdout, inFolder('app.js'), [inFolder('app.js'), 'one']);
});

t.test('the HTTP server of register', async (t) => {
  const child = spawn(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, ...IMPORT, '-e', 'process.stdin.resume()', 'one'],
    { env: { ...process.env, MEMPROF_HTTP: '0' }, stdio: ['pipe', 'ignore', 'pipe'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const [text] = (await once(child.stderr.setEncoding('utf8'), 'data')) as [string];
  const base = /http:\S+/.exec(text)![0];
  const heap = parseProfile(Buffer.from(await (await fetch(`${base}heap`)).arrayBuffer()));
  t.equal(heap.mappings[0]!.fileName, process.execPath, 'not the module that is imported');
  t.match(
    await (await fetch(`${base}flame`)).text(),
    `<title>${process.execPath}, process ${child.pid}</title>`,
  );
});

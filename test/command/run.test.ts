import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import ts from 'typescript';
import { parseProfile } from '#dist/formats/readers.js';
import { fixtures, goPprof, main, memprof, plainNode, type Run } from '../support/cli.js';
import { needs } from '../support/tools.js';

const app = path.join(fixtures, 'run', 'app.cjs');
const FILE = /^memprof(?:-peak)?\.\d{8}\.\d{6}\.(\d+)\.0\.(\d{3})\.(pb\.gz|txt)$/;

/** The profiles of the end. There may be one of the peak, too, if the heap was clearly larger then. */
function profilesIn(folder: string): string[] {
  const names = readdirSync(folder).sort();
  for (const name of names) t.match(name, FILE);
  return names.filter((name) => !name.startsWith('memprof-peak')).map((name) => path.join(folder, name));
}

/** Two samples at the usual interval. keepsObjects makes 19 on average: fewer are seen once in ten million runs, 5 sigma. */
const SOME = 1e6;

/** Objects and bytes that were allocated, and are in use, with a function on the stack. */
function figuresOf(file: string, functionName: string): number[] {
  const { samples } = parseProfile(readFileSync(file));
  const sums = [0, 0, 0, 0];
  for (const { stack, values } of samples) {
    if (!stack.some((frame) => frame.functionName === functionName)) continue;
    values.forEach((value, at) => {
      sums[at]! += value;
    });
  }
  return sums;
}

t.test('writes a profile at exit, and keeps the exit code', async (t) => {
  const cases: [args: string[], code: number][] = [
    [[app], 0],
    [[app, 'code', '7'], 7],
    [['--', app, 'exit', '3'], 3],
    [
      [
        '--sample-interval=64k',
        '--stack-depth',
        '20',
        '--max-overhead',
        '0.1',
        '--',
        '--max-old-space-size=200',
        app,
        'throw',
      ],
      1,
    ],
  ];
  for (const [args, code] of cases) {
    const folder = t.testdir({});
    const run = memprof(['run', '--dir', folder, ...args]);
    t.equal(run.code, code);
    t.equal(run.signal, null);
    t.equal(run.stdout, '');
    const [file, ...more] = profilesIn(folder);
    t.same(more, []);
    const [, allocated] = figuresOf(file!, 'keepsObjects');
    t.ok(allocated! > SOME && allocated! < 40e6, `${allocated} bytes`);
    t.match(run.stderr, /memprof: [\d.]+MB allocated, most of it by\n +[\d.]+MB +[\d.]+% {2}\S+ /);
    t.match(run.stderr, /memprof: [\d.]+[kM]?B? in use at the end/);
    t.match(
      run.stderr,
      `memprof: wrote ${path.relative('.', file!).startsWith('..') ? file! : path.relative('.', file!)}`,
    );
    await t.test('go tool pprof reads it', needs('go'), async (t) => {
      t.match(goPprof(['-top', '-sample_index=alloc_space', file!]), 'keepsObjects');
    });
  }
});

t.test('built code is shown as in its sources', (t) => {
  const folder = t.testdir({ dist: {}, out: {}, raw: {} });
  const source = `interface Item { n: number }

export function keepsItems(): Item[] {
  return Array.from({ length: 500_000 }, (_, n) => ({ n }));
}
(globalThis as { kept?: Item[] }).kept = keepsItems();
`;
  const { outputText } = ts.transpileModule(source, {
    fileName: '../src/items.ts',
    compilerOptions: { target: ts.ScriptTarget.ES2022, inlineSourceMap: true },
  });
  const built = path.join(folder, 'dist', 'items.js');
  writeFileSync(built, outputText);
  for (const [out, options, fileName, lineNumber] of [
    ['out', [], path.join(folder, 'dist', 'items.ts'), 3],
    ['raw', ['--no-source-maps'], built, 1],
  ] as const) {
    const to = path.join(folder, out);
    t.equal(memprof(['run', '-q', '--dir', to, ...options, built]).code, 0);
    const { samples } = parseProfile(readFileSync(profilesIn(to)[0]!));
    const frames = samples.flatMap(({ stack }) => stack);
    const found = frames.find(({ functionName }) => functionName === 'keepsItems');
    t.equal(found?.fileName, fileName);
    t.equal(found?.lineNumber, lineNumber);
  }
  t.end();
});

t.test('text, no summary, a folder that is not there yet', async (t) => {
  const folder = path.join(t.testdir({}), 'a', 'b');
  const run = memprof(['run', '-q', '--format=txt', `--dir=${folder}`, app]);
  t.equal(run.stderr, '');
  const [file] = profilesIn(folder);
  t.match(readFileSync(file!, 'utf8'), /^heap profile: .* @ heap\/1048576\n/);
  t.ok(figuresOf(file!, 'keepsObjects')[1]! > SOME);
});

t.test('standard input and output are those of the program', async (t) => {
  const folder = t.testdir({});
  const run = memprof(['run', '-q', '--dir', folder, app, 'echo', '--cum', '-n'], { input: 'hello' });
  t.equal(run.stdout, '--cum,-n: hello');
});

t.test('memprof run accepts node before the program', async (t) => {
  t.equal(memprof(['run', '-q', '--dir', t.testdir({}), 'node', app, 'code', '5']).code, 5);
});

t.test('a command that starts no Node.js', async (t) => {
  const run = memprof(['run', '--dir', t.testdir({}), 'sh', '-c', 'exit 3']);
  t.equal(run.code, 3);
  t.equal(run.stderr, 'memprof: no profile was written: no process of Node.js was profiled\n');
});

t.test('a program that is not there', async (t) => {
  const run = memprof(['run', '--dir', t.testdir({}), '/no/such/app.js']);
  t.equal(run.code, 1);
  t.match(run.stderr, /^memprof: cannot run \/no\/such\/app\.js: there is no such file/);
  const folder = t.testdir({});
  const byNode = memprof(['run', '--dir', folder, 'node', '/no/such/app.js']);
  t.equal(byNode.code, 1);
  t.match(byNode.stderr, 'Cannot find module');
  t.same(readdirSync(folder), [], 'a program that did not start leaves no file');
});

async function begin(folder: string, ...args: string[]): Promise<[ChildProcess, Promise<Run>]> {
  const [command, ...before] = plainNode;
  const child = spawn(command, [...before, main, 'run', '--dir', folder, app, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stderr = text(child.stderr!);
  const ready = once(child.stdout!, 'data');
  let stdout = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  const ended = (async () => {
    const [code, signal] = await once(child, 'close');
    return { code, signal, stdout, stderr: await stderr };
  })();
  await ready;
  return [child, ended];
}

t.test('writes before it dies of a signal, and dies of it', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const folder = t.testdir({});
    const [child, ended] = await begin(folder, 'wait');
    child.kill(signal);
    const run = await ended;
    t.equal(run.signal, signal);
    const [file] = profilesIn(folder);
    t.ok(figuresOf(file!, 'keepsObjects')[3]! > SOME, 'in use');
    // Of its 20 MB, V8's cache of numbers as strings keeps 0.4, which are 0.75 samples: eight are 4.7 sigma.
    t.ok(figuresOf(file!, 'dropsObjects')[3]! < 4e6, 'collected');
  }
});

t.test('writes on SIGUSR2, as often as asked', async (t) => {
  const folder = t.testdir({});
  const [child, ended] = await begin(folder, 'wait');
  for (let times = 1; times <= 2; times++) {
    child.kill('SIGUSR2');
    while (readdirSync(folder).filter((name) => /^memprof\.\d/.test(name)).length < times)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGTERM');
  t.equal((await ended).signal, 'SIGTERM');
  const files = profilesIn(folder);
  t.equal(files.length, 3);
  for (const file of files) t.ok(figuresOf(file, 'keepsObjects')[3]! > SOME);
});

t.test(
  'SIGUSR2 writes a profile of every process, whether memprof runs a program or a command',
  async (t) => {
    const source = `
    const { fork } = require('node:child_process');
    const cluster = require('node:cluster');
    globalThis.kept = Array.from({ length: 300_000 }, (_, at) => ({ at, kept: [at] }));
    if (cluster.isPrimary && process.argv[2] !== 'child') {
      const children = [fork(__filename, ['child']), cluster.fork().process, cluster.fork().process];
      let ready = 0;
      for (const child of children) child.on('message', (said) => {
        if (said === 'ready' && ++ready === 3) console.log([process.pid, ...children.map(({ pid }) => pid)].join());
      });
    } else process.send('ready');
    setInterval(() => {}, 1000);
  `;
    const folder = t.testdir({
      'app.cjs': source,
      node_modules: { '.bin': { tool: '#!/bin/sh\ntrap "exit 9" USR2\nnode app.cjs\n' } },
    });
    chmodSync(path.join(folder, 'node_modules/.bin/tool'), 0o755);
    for (const target of ['app.cjs', 'tool']) {
      const out = path.join(folder, `out-${target}`);
      const [command, ...flags] = plainNode;
      const child = spawn(command, [...flags, main, 'run', '--dir', out, target], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      t.teardown(() => child.kill('SIGKILL'));
      const [said] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
      const pids = said.trim().split(',').map(Number);
      t.teardown(() => {
        for (const pid of pids) {
          try {
            process.kill(pid, 'SIGKILL');
          } catch {}
        }
      });
      child.kill('SIGUSR2');
      const written = () =>
        (existsSync(out) ? readdirSync(out) : []).filter((name) => /^memprof\.\d/.test(name));
      for (let tries = 0; written().length < 4 && tries < 3000; tries++)
        await new Promise((resolve) => setTimeout(resolve, 20));
      t.same(
        new Set(written().map((name) => Number(FILE.exec(name)![1]))),
        new Set(pids),
        `${target}: one of each process`,
      );
      for (const pid of pids) t.ok(process.kill(pid, 0), `${target}: ${pid} lives on`);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await once(child, 'close');
    }
  },
);

t.test("the program's own listeners decide", async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const folder = t.testdir({});
    const [child, ended] = await begin(folder, 'handles', signal);
    child.kill(signal);
    t.equal((await ended).code, 42);
    t.equal(profilesIn(folder).length, 1);
  }
  const folder = t.testdir({});
  const [child, ended] = await begin(folder, 'dies-politely');
  child.kill('SIGTERM');
  const run = await ended;
  t.equal(run.signal, 'SIGTERM');
  t.match(run.stdout, 'cleaned up');
  t.equal(profilesIn(folder).length, 1);
});

t.test(
  'a signal that kills at once leaves no profile, and the summary says so',
  needs('pgrep'),
  async (t) => {
    const folder = t.testdir({});
    const [child, ended] = await begin(folder, 'wait');
    const { stdout } = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' });
    process.kill(Number(stdout), 'SIGKILL');
    const run = await ended;
    t.equal(run.signal, 'SIGKILL');
    t.match(run.stderr, 'memprof: no profile was written');
  },
);

t.test('workers are profiled, even with an execArgv of their own', async (t) => {
  const folder = t.testdir({});
  t.equal(memprof(['run', '--sample-interval=64k', '--dir', folder, app, 'worker']).code, 0);
  const [file] = profilesIn(folder);
  // 5 MB are 80 samples: 2 MB are 5 sigma less.
  t.ok(figuresOf(file!, 'inWorker')[1]! > 2e6);
});

t.test('forked processes write their own', async (t) => {
  const folder = t.testdir({});
  const run = memprof(['run', '--dir', folder, app, 'fork']);
  t.equal(run.code, 0);
  t.equal(profilesIn(folder).length, 2);
  t.equal(run.stderr.match(/ \(process \d+, app\.cjs\): heap /g)?.length, 2);
});

t.test('any command is profiled, with all processes of Node.js that it starts', async (t) => {
  const source = `
    const { spawnSync, fork } = require('node:child_process');
    const cluster = require('node:cluster');
    const work = (n) => Array.from({ length: n }, (_, at) => ({ at, kept: [at] }));
    function inSpawned() { return work(300_000); }
    function inForked() { return work(300_000); }
    function inCluster() { return work(300_000); }
    function inItself() { return work(300_000); }
    const role = process.argv[2];
    if (cluster.isWorker) {
      globalThis.kept = inCluster();
      process.disconnect();
    } else if (role === 'spawned') globalThis.kept = inSpawned();
    else if (role === 'forked') globalThis.kept = inForked();
    else {
      globalThis.kept = inItself();
      spawnSync('node', [__filename, 'spawned'], { stdio: 'inherit' });
      fork(__filename, ['forked']).on('exit', () => {
        for (let at = 0; at < 4; at++) cluster.fork();
      });
    }
  `;
  const folder = t.testdir({
    'package.json': JSON.stringify({ scripts: { test: 'tool one two' } }),
    'tool.cjs': source,
    node_modules: { '.bin': { tool: `#!/bin/sh\nexec node tool.cjs\n` } },
  });
  chmodSync(path.join(folder, 'node_modules/.bin/tool'), 0o755);
  const out = path.join(folder, 'out');
  const run = memprof(['run', '--dir', out, 'tool'], { cwd: folder });
  t.equal(run.code, 0, run.stderr);
  const files = profilesIn(out);
  t.equal(files.length, 7);
  for (const [name, processes] of [
    ['inSpawned', 1],
    ['inForked', 1],
    ['inCluster', 4],
    ['inItself', 1],
  ] as const) {
    // 18 MB each, 34 samples: 1 MB or less would be 5.4 sigma.
    t.equal(files.filter((file) => figuresOf(file, name)[1]! > SOME).length, processes, name);
    t.match(run.stderr, /B +[\d.]+% {2}.*tool\.cjs:/, 'the summary is over all of them');
  }
  t.match(run.stderr, /MB allocated in 7 processes, most of it by/);
  const wrote =
    /wrote .*\(process \d+, tool\.cjs\): heap [\d.]+MB, external .*, RSS [\d.]+MB at most, \d+ collections? of /g;
  t.equal(run.stderr.match(wrote)?.length, 7);
});

t.test('options of Node.js that memprof gets, and commands that are not there', async (t) => {
  const option = memprof(['run', '--max-old-space-size=100', app]);
  t.equal(option.code, 2);
  t.match(option.stderr, /--max-old-space-size is an option of Node\.js: put it between -- and the program/);
  const command = memprof(['run', 'no-such-command', 'x']);
  t.equal(command.code, 1);
  t.match(command.stderr, /no such command in node_modules\/\.bin or on the PATH/);
});

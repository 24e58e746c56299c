import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { after, before, main, memprof, plainNode } from '../support/cli.js';
import { needs } from '../support/tools.js';

t.test('diff shows AFTER less BEFORE, what changed most first', async (t) => {
  const { code, stdout } = memprof(['diff', before, after]);
  t.equal(code, 0);
  const rows = stdout.split('\n').filter((line) => /^ +-?[\d.]+(MB|kB)/.test(line));
  t.match(rows[0], /^ +3\.24MB .* main\.\(\*store\)\.put main\.go:18$/);
  t.ok(
    rows.some((row) => /^ +-\d+kB .* main\.grow /.test(row)),
    'what became less is negative',
  );
  t.equal(memprof(['diff', after]).code, 2);
  const same = memprof(['diff', after, after]);
  t.equal(same.code, 0);
  t.match(same.stdout, 'Showing nodes accounting for 0');
});

t.test('Markdown and JSON', async (t) => {
  const table = memprof(['top', '--format=md', '-n', '2', after]).stdout;
  t.match(
    table,
    /\n\| self \| ± \| self % \| total \| total % \| function \|\n\| --: .*\n\| 3\.27MB \| ±.* \| `main/,
  );
  t.equal(table.match(/^\| \d/gm)?.length, 2);
  const read = JSON.parse(memprof(['top', '--format=json', after]).stdout);
  t.equal(read.unit, 'bytes');
  t.equal(read.functions[0].name, 'main.(*store).put main.go:18');
  t.ok(read.functions[0].self > read.functions[0].selfError && read.functions[0].selfError > 0);
  const grown = JSON.parse(memprof(['leaks', '--all', '--format=json', before, after]).stdout);
  t.equal(grown.profiles, 2);
  t.ok(grown.inUseBytes[1] > grown.inUseBytes[0]);
  t.equal(typeof grown.sites[0].stack[0], 'string');
  t.match(
    memprof(['leaks', '--all', '--format=md', before, after]).stdout,
    /\n\| growth per .* \|\n(.*\n)*\| .*MB \| ±.*`main\./,
  );
});

t.test('list shows the source, with figures at the lines that the profile knows', async (t) => {
  const folder = t.testdir({});
  const source = path.join(folder, 'app.js');
  writeFileSync(
    source,
    "'use strict';\nfunction keeps() {\n  const all = [];\n  return all;\n}\n\nfunction other() {}\n",
  );
  const file = path.join(folder, 'p.txt');
  writeFileSync(
    file,
    `heap profile: 3: 6291456 [3: 6291456] @ heap/2\n2: 4194304 [2: 4194304] @ 0x11 0x21\n#\t0x10\tkeeps+0x0\t${source}:2\n#\t0x20\tmain+0x0\t/no/such.js:7\n\n`,
  );
  const { code, stdout } = memprof(['list', file, 'keeps|main']);
  t.equal(code, 0);
  t.match(stdout, /^Total: 4\.00MB \(space\)\n/);
  t.match(
    stdout,
    new RegExp(
      [
        `ROUTINE =+ keeps in .*app\\.js`,
        ' +4\\.00MB +4\\.00MB \\(flat, cum\\) 100\\.0% of total',
        " +\\. +\\. +1: 'use strict';",
        ' +4\\.00MB +4\\.00MB +2: function keeps\\(\\) \\{',
        ' +\\. +\\. +3:   const all = \\[\\];',
        ' +\\. +\\. +4:   return all;',
        ' +\\. +\\. +5: \\}',
        'ROUTINE =+ main in /no/such\\.js',
        ' +\\. +4\\.00MB \\(flat, cum\\) 100\\.0% of total',
        ' +\\. +4\\.00MB +7: \\(the source is not on this machine\\)',
        '',
      ].join('\n'),
    ),
  );
  const none = memprof(['list', file, 'nothing']);
  t.equal(none.code, 1);
  t.match(none.stderr, 'no function matches nothing');
});

t.test('open serves the page to this machine, until it is told to end', async (t) => {
  const [command, ...flags] = plainNode;
  const child: ChildProcess = spawn(
    command,
    [...flags, main, 'open', '--no-browser', '--base', before, after],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const [address] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  t.match(address, /^http:\/\/127\.0\.0\.1:\d+\/\n$/);
  const response = await fetch(address.trim());
  t.match(await response.text(), /<title>after\.pb\.gz compared with before\.pb\.gz<\/title>/);
  t.equal((await fetch(`${address.trim()}other`)).status, 404);
  t.equal((await fetch(address.trim(), { headers: { 'X-Forwarded-For': '10.0.0.1' } })).status, 403);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  t.equal(code, 0);
});

t.test(
  'progress is shown on a terminal only, and Ctrl-C ends the wait with a report',
  needs('script'),
  async (t) => {
    const profile = readFileSync(after);
    const server = createServer((_, response) => response.end(profile));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/heap`;
    const words = [...plainNode, main, 'leaks', url, '--count', '3', '--every', '300ms'];
    const onTerminal = spawn('script', ['-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null']);
    const shown = await text(onTerminal.stdout);
    t.ok(shown.includes('\r\u001b[Kmemprof: 1 of 3 profiles, the next one in 0 s'), shown);
    const [command, ...args] = words;
    const piped = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    t.equal(
      await text(piped.stderr),
      'memprof: profile 1 and profile 2 have the same time: give profiles of different times\n',
    );

    // The same server, whose profiles have no time of their own.
    const untimed = spawn(
      command!,
      [...plainNode.slice(1), main, 'leaks', `${url}?text`, '--count', '50', '--every', '400ms'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    server.removeAllListeners('request');
    let asked = 0;
    server.on('request', (_, response) => {
      response.end('heap profile: 1: 8 [2: 16] @ heap/2\n1: 8 [2: 16] @ 0x11\n');
      asked++;
      if (asked === 3) setTimeout(() => untimed.kill('SIGINT'), 100);
    });
    t.match(await text(untimed.stdout), /^3 profiles over /);
  },
);

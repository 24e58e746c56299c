import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { parseProfile } from '#dist/formats/readers.js';
import { socketOf } from '#dist/http/family.js';
import { plainNode } from '../support/cli.js';
import { freePort } from '../support/ports.js';
import { root } from '../support/run.js';

const register = path.join(root, 'dist/register.js');

interface Process {
  child: ChildProcess;
  pid: number;
  said: string;
}

async function begin(t: Test, port: number, name: string): Promise<Process> {
  const [command, ...flags] = plainNode;
  const source = `
    globalThis.kept = [];
    function ${name}() { for (let i = 0; i < 1e5; i++) kept.push({ i, of: [i] }); }
    ${name}();
    process.stdin.resume();`;
  const child = spawn(command, [...flags, '--require', register, '-e', source], {
    env: {
      ...process.env,
      MEMPROF_HTTP: String(port),
      MEMPROF_SAMPLE_INTERVAL: '16k',
      MEMPROF_TOKEN: 'secret',
    },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stderr!.setEncoding('utf8'), 'data')) as [string];
  return { child, pid: child.pid!, said };
}

t.test(
  'processes with the same port share an address; another takes over when the holder ends',
  async (t) => {
    const port = await freePort();
    const base = `http://127.0.0.1:${port}/debug/pprof/`;
    const get = (page: string) =>
      fetch(base + page, { headers: { authorization: 'Bearer secret' }, redirect: 'manual' });
    const functions = async (page: string) => {
      const { samples } = parseProfile(Buffer.from(await (await get(page)).arrayBuffer()));
      return new Set(samples.flatMap(({ stack }) => stack.map(({ functionName }) => functionName)));
    };
    const first = await begin(t, port, 'inFirst');
    t.match(first.said, `memprof: serves ${base}\n`, 'a fixed port is announced, too');
    const second = await begin(t, port, 'inSecond');
    t.match(
      second.said,
      `memprof: process ${second.pid} is served by process ${first.pid}: ${base}?pid=${second.pid}\n`,
    );
    const third = await begin(t, port, 'inThird');

    const socket = socketOf(port, second.pid);
    t.equal(statSync(path.dirname(socket)).mode & 0o777, 0o700, 'nobody else reaches the sockets');
    for (const page of ['heap', `heap?pid=${second.pid}`, 'heap?pid=all']) {
      t.equal((await fetch(base + page)).status, 401, `${page} needs the token`);
    }
    const index = await (await get('')).text();
    for (const { pid } of [first, second, third]) t.ok(index.includes(`${pid}`), 'the index lists all');
    t.match(
      await (await get(`?pid=${third.pid}`)).text(),
      `<a href='heap?debug=1&pid=${third.pid}'>heap</a>`,
    );

    t.ok((await functions(`heap?gc=1`)).has('inFirst'));
    const ofSecond = await functions(`heap?gc=1&pid=${second.pid}`);
    t.ok(ofSecond.has('inSecond') && !ofSecond.has('inFirst'));
    const all = await functions('heap?gc=1&pid=all');
    for (const name of ['inFirst', 'inSecond', 'inThird']) t.ok(all.has(name), name);
    const flame = await (await get('flame?pid=all')).text();
    t.ok(flame.includes('inFirst') && flame.includes('inSecond'));
    t.match(flame, ', 3 processes</title>');
    t.equal((await get('heap?pid=1')).status, 404);
    t.equal((await get('heap?pid=x')).status, 400);
    t.equal((await get('heap?pid=all&debug=1')).status, 400);
    t.equal((await get('cmdline?pid=all')).status, 400);

    await t.test('/ leads to the index', async (t) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' });
      t.equal(response.status, 302);
      t.equal(response.headers.get('location'), '/debug/pprof/');
    });

    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const holder = await new Promise<number>((resolve) => {
      for (const { child } of [second, third])
        child.stderr!.on('data', (text: string) => {
          const found = /process (\d+) serves port/.exec(text);
          if (found !== null) resolve(Number(found[1]));
        });
    });
    t.ok([second.pid, third.pid].includes(holder));
    const rest = await functions('heap?pid=all');
    t.ok(rest.has('inSecond') && rest.has('inThird') && !rest.has('inFirst'));
  },
);

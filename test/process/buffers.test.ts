import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { parseProfile } from '#dist/index.js';
import type { MemStats } from '#dist/profile/public-types.js';
import type { Status } from '#dist/sampler/status.js';
import { type Site, sitesOf, sumInUse } from '../support/buffers.js';
import { memprof } from '../support/cli.js';
import { programPath, startNode } from '../support/run.js';

const MIB = 2 ** 20;
const INTERVAL = 16 * 1024;
const LEAK_MIB = 330;
const FILE_MIB = 310;
const LEAKING_LINE = 19;

interface Ready {
  url: string;
  arrayBuffers: number;
  external: number;
  stats: MemStats;
  status: Pick<Status['buffers'], 'running' | 'problem' | 'sampleInterval'>;
}

t.test('buffers leaked, churned and read from a file, by stack', async (t) => {
  const child = startNode(programPath('buffers-sites'), {
    args: [INTERVAL, LEAK_MIB, FILE_MIB],
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const { url, arrayBuffers, external, stats, status } = JSON.parse(line.toString()) as Ready;
  t.comment(`arrayBuffers: ${arrayBuffers}`);

  // Some 10,000 buffers of 1 to 64 KiB, of which two thirds are sampled: their estimate has a sigma of 0.3 %.
  const within3Percent = (t: Test, sites: readonly Site[]) => {
    const sum = sumInUse(sites);
    t.ok(
      Math.abs(sum - arrayBuffers) < 0.03 * arrayBuffers,
      `in use ${sum}: ${((100 * sum) / arrayBuffers - 100).toFixed(2)} % off`,
    );
    const [leak, file] = sites;
    t.match(leak!.leaf, { functionName: 'leak', lineNumber: LEAKING_LINE }, 'the leaking line is at the top');
    t.ok(Math.abs(leak!.inUseBytes - LEAK_MIB * MIB) < 0.03 * LEAK_MIB * MIB, `leaked ${leak!.inUseBytes}`);
    t.ok(file!.functions.includes('readAll'), `then ${file!.functions[0]}, by readAll`);
    t.ok(Math.abs(file!.inUseBytes - FILE_MIB * MIB) < 0.03 * FILE_MIB * MIB, `read ${file!.inUseBytes}`);
    const churn = sites.find(({ leaf }) => leaf.functionName === 'churn')!;
    t.equal(churn.inUseBytes, 0, 'nothing of the churning one is in use');
    const churned = 2 * LEAK_MIB * MIB;
    t.ok(Math.abs(churn.allocBytes - churned) < 0.03 * churned, `churned ${churn.allocBytes}`);
  };

  const get = async (path: string) => {
    const response = await fetch(url + path);
    t.equal(response.status, 200, path);
    return Buffer.from(await response.arrayBuffer());
  };
  await t.test('status and readMemStats', async (t) => {
    t.strictSame(status, { running: true, problem: null, sampleInterval: INTERVAL });
    const off = stats.arrayBuffers / arrayBuffers - 1;
    t.ok(Math.abs(off) < 0.002, `arrayBuffers in use: ${(100 * off).toFixed(3)} % off`);
    t.ok(stats.arrayBuffersTotalAlloc > (3 * LEAK_MIB + FILE_MIB) * MIB, 'all that was allocated');
    t.ok(stats.arrayBuffersTotalAlloc < (3 * LEAK_MIB + FILE_MIB + 20) * MIB);
    // The thread of `serve()` has some 3 MB of its own, which count once it has collected garbage.
    t.ok(
      stats.external > external * 0.998 && stats.external < external * 1.002 + 5 * MIB,
      `external ${stats.external}, of this thread ${external}`,
    );
    t.ok(stats.external >= arrayBuffers * 0.998);
  });
  await t.test('proto', async (t) => {
    const profile = parseProfile(await get('buffers'));
    t.equal(profile.defaultSampleType, 'inuse_space');
    t.equal(profile.period, INTERVAL);
    within3Percent(t, sitesOf(profile));
  });
  await t.test('text', async (t) => {
    const text = (await get('buffers?debug=1&gc=1')).toString();
    t.match(text, new RegExp(`^heap profile: \\d+: \\d+ \\[\\d+: \\d+\\] @ heap/${INTERVAL * 2}\\n`));
    // A comment has a frame's line, but the parser goes by addresses, and needs them told apart by line.
    within3Percent(t, sitesOf(parseProfile(Buffer.from(text))));
  });
  await t.test('index page, delta, names of addresses', async (t) => {
    const index = (await get('')).toString();
    const count = /<td>(\d+)<\/td><td><a href='buffers\?debug=1'>buffers<\/a>/.exec(index);
    t.ok(Number(count?.[1]) > 3, `${count?.[1]} records`);
    const delta = parseProfile(await get('buffers?seconds=1'));
    t.ok(delta.durationNanos! >= 0.9e9, 'covers a second');
    t.ok(Math.abs(sumInUse(sitesOf(delta))) < 0.02 * arrayBuffers, 'in which little happened');
    const address = sitesOf(parseProfile(await get('buffers')))[0]!.leaf.address.toString(16);
    t.match((await get(`symbol?0x${address}`)).toString(), `0x${address} leak`);
  });
  await t.test('the command', async (t) => {
    const file = path.join(t.testdir(), 'buffers.pb.gz');
    writeFileSync(file, await get('buffers'));
    const { stdout, stderr } = memprof(['top', '--granularity', 'lines', file]);
    const first = stdout.split('\n').find((line) => /^ +\d/.test(line));
    t.match(first, new RegExp(` leak .*buffers-sites\\.cjs:${LEAKING_LINE}$`), first ?? stdout + stderr);
  });
  child.stdin!.write('end');
  const [code] = (await once(child, 'exit')) as [number];
  t.equal(code, 0);
});

// Debian's Prometheus scrapes the example, whose metrics and dashboard its own tools check.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startExample } from '../support/examples.js';
import { root } from '../support/run.js';
import { findTool, needs } from '../support/tools.js';

const example = path.join(root, 'examples/prometheus');

interface Answer {
  status: string;
  data: { result: { metric: Record<string, string>; value: [number, string] }[] };
}

/** Starts it in a directory of its own, at a port that it chooses. */
async function startPrometheus(t: Test, directory: string, target: string): Promise<string> {
  const config = readFileSync(path.join(example, 'prometheus.yml'), 'utf8')
    .replace('127.0.0.1:8080', target)
    .replace('15s', '1s');
  writeFileSync(path.join(directory, 'prometheus.yml'), config);
  const child: ChildProcess = spawn(
    findTool('prometheus')!,
    [
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=data',
      '--web.listen-address=127.0.0.1:0',
      '--log.level=info',
    ],
    { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.teardown(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // `msg="Listening on" address=127.0.0.1:34567`, with the port that it was given.
      const found = /msg="Listening on" address=(127\.0\.0\.1:[1-9]\d*)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`prometheus ended: ${said}`)));
  });
  return `http://${address}`;
}

t.test('promtool', needs('promtool'), async (t) => {
  const { url } = await startExample(t, 'prometheus/server.js');
  const metrics = await (await fetch(`${url}metrics`)).text();
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: metrics,
    encoding: 'utf8',
  });
  const complaints = (stdout + stderr).split('\n').filter((line) => line !== '');
  t.same(complaints, [], metrics);
  const { status, stderr: config } = spawnSync(
    'promtool',
    ['check', 'config', path.join(example, 'prometheus.yml')],
    {
      encoding: 'utf8',
    },
  );
  t.equal(status, 0, config);
});

t.test(
  'Prometheus scrapes a program, and answers the queries of the dashboard',
  needs('prometheus'),
  async (t) => {
    const { url, directory } = await startExample(t, 'prometheus/server.js');
    const base = await startPrometheus(t, directory, new URL(url).host);
    const query = async (expression: string) => {
      const response = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(expression)}`);
      if (response.status === 503) return []; // It is not ready yet.
      const { status, data } = (await response.json()) as Answer;
      t.equal(status, 'success', expression);
      return data.result;
    };
    // Until rates can be told: a histogram of collections needs some between two scrapes.
    const rate = 'rate(nodejs_memstats_gc_pause_seconds_count[1m]) > 0';
    for (let tries = 0; (await query(rate)).length === 0; tries++) {
      if (tries > 300) throw new Error('nothing was scraped');
      for (let n = 0; n < 100; n++) await (await fetch(`${url}?${n}`)).text();
      await sleep(200);
    }
    const { panels } = JSON.parse(readFileSync(path.join(example, 'dashboard.json'), 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    t.ok(expressions.length > 15);
    for (const expression of expressions) {
      const [found, ...more] = await query(
        expression.replaceAll(/\$(job|instance)/g, '.+').replaceAll('$__rate_interval', '1m'),
      );
      t.ok(found !== undefined && more.length === 0, `has an answer: ${expression}`);
      t.ok(Number(found?.value[1]) >= 0, `which is a number: ${found?.value[1]}`);
    }
    const [heap] = await query('nodejs_memstats_heap_alloc_bytes{job="shop"} / 1e6');
    t.ok(Number(heap?.value[1]) > 1 && Number(heap?.value[1]) < 1000, `${heap?.value[1]} MB of heap`);
    const [rate1] = await query('rate(nodejs_memstats_alloc_bytes_total[1m]) > 1e4');
    t.ok(rate1 !== undefined, 'it allocates');
  },
);

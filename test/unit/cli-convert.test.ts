import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { encodeProto } from '#dist/formats/pprof/encode.js';
import { parseProfile } from '#dist/formats/readers.js';
import type { ProfileData } from '#dist/profile/model.js';
import { after, golden, goPprof, memprof } from '../support/cli.js';
import { needs } from '../support/tools.js';

/** What a profile says, whatever its form: the values of each stack of names. */
function content({ samples }: ProfileData): string[] {
  return samples
    .map(({ values, stack }) => {
      const names = stack.map(({ functionName, fileName, lineNumber }) => [
        functionName,
        fileName,
        lineNumber,
      ]);
      return JSON.stringify([values, names]);
    })
    .sort();
}

t.test('to proto and to text, and back', async (t) => {
  for (const input of [after, golden]) {
    const folder = t.testdir({});
    const original = parseProfile(readFileSync(input));
    for (const extension of ['pb.gz', 'txt']) {
      const output = path.join(folder, `x.${extension}`);
      const run = memprof(['convert', input, '-o', output]);
      t.equal(run.code, 0, run.stderr);
      t.equal(run.stdout, '');
      t.match(
        run.stderr,
        extension === 'txt' ? /^(memprof: txt does not hold [^\n]+\n)?$/ : /^$/,
        'a proto loses nothing',
      );
      t.same(content(parseProfile(readFileSync(output))), content(original));
      t.equal(memprof(['top', output, '-alloc_space']).code, 0);
      await t.test('go tool pprof reads it', needs('go'), async (t) => {
        t.match(goPprof(['-raw', output]), 'Samples:');
      });
    }
  }
});

t.test('go tool pprof finds the same in what was a text', needs('go'), async (t) => {
  const output = path.join(t.testdir({}), 'x.pb.gz');
  memprof(['convert', golden, '-o', output]);
  for (const type of ['alloc_objects', 'inuse_space']) {
    t.equal(
      goPprof(['-top', `-sample_index=${type}`, output]),
      memprof(['top', '--functions', '--sample_index', type, golden]).stdout,
    );
  }
});

t.test('text to text leaves the figures alone', async (t) => {
  const { stdout } = memprof(['convert', golden, '-o', '-', '--format=txt']);
  const figures = (text: string) => text.split('\n').filter((line) => /^(\d|heap profile)/.test(line));
  t.same(figures(stdout), figures(readFileSync(golden, 'utf8')));
});

t.test('to .heapprofile, with the figures asked for', async (t) => {
  const folder = t.testdir({});
  const output = path.join(folder, 'x.heapprofile');
  const sum = (node: { selfSize: number; children: (typeof node)[] }): number =>
    node.selfSize + node.children.reduce((total, child) => total + sum(child), 0);
  const total = (type: number) =>
    parseProfile(readFileSync(after)).samples.reduce((all, { values }) => all + values[type]!, 0);
  memprof(['convert', after, '-o', output]);
  t.equal(sum(JSON.parse(readFileSync(output, 'utf8')).head), total(3));
  memprof(['convert', after, '--alloc_space', '-o', output]);
  t.equal(sum(JSON.parse(readFileSync(output, 'utf8')).head), total(1));
});

t.test('to collapsed stacks', async (t) => {
  const { code, stdout } = memprof(
    ['convert', '-', '-o', '-', '--format', 'folded', '--sample_index=alloc_objects'],
    {
      input: readFileSync(after),
    },
  );
  t.equal(code, 0);
  const lines = stdout.trimEnd().split('\n');
  t.ok(lines.length > 10);
  for (const line of lines) t.match(line, /^[^;]+(;[^;]+)* \d+$/);
});

t.test('a text has objects and bytes, or is none', async (t) => {
  const folder = t.testdir({});
  const growth = path.join(folder, 'growth.txt');
  writeFileSync(growth, 'heap profile: 1: 8 [1: 8] @ growthz\n1: 8 [1: 8] @ 0x10\n');
  t.equal(memprof(['convert', growth, '-o', '-', '--format', 'txt']).code, 0);

  const cpu = path.join(folder, 'cpu.pb');
  const sampleTypes = [{ type: 'cpu', unit: 'nanoseconds' }];
  const samples = [{ values: [7], stack: [], labels: {}, numLabels: {} }];
  writeFileSync(
    cpu,
    encodeProto({ ...parseProfile(readFileSync(after)), sampleTypes, defaultSampleType: 'cpu', samples }),
  );
  const { code, stderr } = memprof(['convert', cpu, '-o', '-', '--format', 'txt']);
  t.equal(code, 1);
  t.equal(
    stderr,
    'memprof: only heap profiles can be written as .txt, and this is not one: it has no figures of objects and bytes in use\n',
  );
});

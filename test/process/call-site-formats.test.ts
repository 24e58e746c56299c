import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { parseProfile } from '#dist/formats/readers.js';
import type { Explanation } from '#dist/index.js';
import type { CallSiteStatus } from '#dist/sampler/status.js';
import { goPprof, memprof } from '../support/cli.js';
import { fixtures, programPath, startNode } from '../support/run.js';
import { needs } from '../support/tools.js';

// Lines of calls in all that memprof writes and shows, at the lines of TypeScript sources through a bundler's map.

const line = Number(process.versions.node.split('.')[0]);
const supported = process.platform === 'linux' && process.arch === 'x64' && line >= 22;
const skip = supported ? false : 'lines of calls need Node.js 22 and Linux on x64';

const PROFILES = 12;
const program = programPath('call-sites-written');
const source = path.join(fixtures, 'call-sites', 'orders.ts');
const lineIn = (file: string, text: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((each) => each.includes(text)) + 1;
const at = (text: string) => lineIn(source, `// ${text}`);
const leak = lineIn(program, '// leak');

/** Where each of the five lines allocates, and from where it is called. */
const SITES = [
  ['makeItems', 'items', 'call of makeItems'],
  ['makeOrder', 'order', 'call of makeOrder'],
  ['receive', 'copy', 'call of receive'],
  ['receive', 'pair', 'call of receive'],
  ['receive', 'kept', 'call of receive'],
] as const;

interface Written {
  directory: string;
  url: string;
  callSites: CallSiteStatus;
  file(name: string): string;
}

/** Starts the program, and waits until it has written its profiles. */
async function write(t: Test, bundle: string): Promise<Written> {
  const directory = t.testdir({});
  const child = startNode(program, {
    args: [path.join(fixtures, 'call-sites', bundle), directory, PROFILES],
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    child.stdin!.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const [said] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  const file = (name: string) => path.join(directory, name);
  return { ...(JSON.parse(said) as { url: string; callSites: CallSiteStatus }), directory, file };
}

function fine(t: Test, args: string[]): string {
  const { code, stdout, stderr } = memprof(args);
  t.equal(code, 0, stderr);
  return stdout;
}

/** The row of a listing for that line of the source, if it has a figure. */
function rowOf(listed: string, text: string): string {
  const rows = listed.split('\n').filter((row) => row.includes(`// ${text}`));
  // Go lists a line once for each of the names under which it knows the function.
  return rows.find((row) => FIGURE.test(row)) ?? rows[0] ?? '';
}
const FIGURE = /^ *(\d[\d.]*[kMG]?B? +|\. +)\d[\d.]*[kMG]?B? +\d+:/;

t.test('everything that is written and shown has the lines', { skip }, async (t) => {
  const written = await write(t, 'orders.js');
  const allocs = written.file('allocs.pb.gz');
  // On a busy machine not all stacks are described in time.
  const { problem, samples, withLines } = written.callSites;
  t.equal(problem, null);
  t.ok(withLines > samples / 2, `${withLines} of ${samples} samples have lines`);

  await t.test('proto', async (t) => {
    const { samples } = parseProfile(readFileSync(allocs));
    for (const [name, own, call] of SITES) {
      const found = samples.filter(
        ({ stack }) =>
          stack[0]?.functionName === name &&
          stack[0].lineNumber === at(own) &&
          stack[1]?.lineNumber === at(call),
      );
      t.ok(found.length > 0, `${name}, line ${at(own)}, called in line ${at(call)}`);
      for (const { stack } of found) t.equal(stack[0]!.fileName, source);
    }
    // In the body of a loop, as in `run`, V8's lines may be those of the loop.
    const others = samples.filter(
      ({ stack }) => stack[0]?.fileName === source && stack[0].functionName !== 'run',
    );
    // What an inlined function allocates may count at its call.
    const known = new Set(SITES.map(([, own]) => at(own)));
    for (const [index, text] of readFileSync(source, 'utf8').split('\n').entries()) {
      if (/tick\(\);|\/\/ call of/.test(text)) known.add(index + 1);
    }
    for (const { stack } of others) {
      const { startLine, lineNumber, functionName } = stack[0]!;
      if (startLine !== undefined && startLine !== lineNumber) {
        t.ok(known.has(lineNumber), `${functionName} allocates in line ${lineNumber}`);
      }
    }
  });

  await t.test("Go's text", async (t) => {
    const text = readFileSync(written.file('allocs.txt'), 'utf8');
    for (const [name, own] of SITES) t.match(text, new RegExp(`\\t${name}\\+0x0\\t+${source}:${at(own)}\\n`));
    t.match(text, new RegExp(`\\tkeep\\+0x0\\t+${program}:${leak}\\n`));
  });

  await t.test('folded stacks', async (t) => {
    const file = written.file('allocs.folded');
    fine(t, ['convert', allocs, '-o', file]);
    const folded = readFileSync(file, 'utf8');
    for (const [name, own, call] of SITES) {
      t.match(folded, `${source}:${at(call)});${name} (${source}:${at(own)}) `);
    }
  });

  await t.test('.heapprofile', async (t) => {
    const file = written.file('allocs.heapprofile');
    fine(t, ['convert', allocs, '-o', file]);
    const text = readFileSync(file, 'utf8');
    const places = new Set<string>();
    JSON.parse(text, (key, value) => {
      if (key === 'callFrame') places.add(`${value.functionName} ${value.url} ${value.lineNumber + 1}`);
      return value;
    });
    for (const [name, own] of SITES) {
      t.ok(
        [...places].some(
          (each) => each === `${name} ${source} ${at(own)}` || each === `${name} file://${source} ${at(own)}`,
        ),
        `${name}:${at(own)}`,
      );
    }
  });

  await t.test('top, peek, tree and traces by lines', async (t) => {
    const index = '--sample-index=alloc_space';
    const top = fine(t, ['top', '--lines', '--nodecount=0', index, allocs]);
    for (const [name, own] of SITES)
      t.match(top, new RegExp(` ${name} \\S*orders\\.ts:${at(own)}(?: \\((?:partial-)?inline\\))?$`, 'm'));
    t.match(fine(t, ['top', '--granularity', 'lines', index, allocs]), `orders.ts:${at('items')}`);
    const peek = fine(t, ['peek', '--lines', index, allocs, `makeItems.*:${at('items')}`]);
    t.match(
      peek,
      new RegExp(`makeOrder \\S*orders\\.ts:${at('call of makeItems')}(?: \\((?:partial-)?inline\\))?$`, 'm'),
    );
    for (const command of ['tree', 'traces']) {
      const shown = fine(t, [command, '--lines', index, allocs]);
      t.match(shown, `orders.ts:${at('items')}`, command);
    }
  });

  await t.test('list, beside the lines of the source', async (t) => {
    const listed = fine(t, [
      'list',
      '--sample-index=alloc_space',
      allocs,
      '^(makeItems|makeOrder|receive|run)$',
    ]);
    for (const text of SITES.flatMap(([, own, call]) => [own, call]))
      t.match(rowOf(listed, text), FIGURE, text);
  });

  await t.test('go tool pprof -list', needs('go'), async (t) => {
    const listed = goPprof([
      '-sample_index=alloc_space',
      '-list=^(makeItems|makeOrder|receive|run)$',
      allocs,
    ]);
    for (const text of SITES.flatMap(([, own, call]) => [own, call]))
      t.match(rowOf(listed, text), FIGURE, text);
  });

  await t.test('leaks', async (t) => {
    const files = Array.from({ length: PROFILES }, (_, at) => written.file(`heap.${at}.pb.gz`));
    const shown = fine(t, ['leaks', '--lines', '--all', ...files]);
    t.match(shown, new RegExp(` (?:certain|likely|noise) +keep \\S*call-sites-written\\.cjs:${leak}$`, 'm'));
    t.match(
      fine(t, ['leaks', '--all', ...files]),
      new RegExp(`keep \\S*call-sites-written\\.cjs:${leak - 1}$`, 'm'),
    );
  });

  await t.test('why', async (t) => {
    const why = `${written.url}why?site=^keep`;
    t.match(await (await fetch(why)).text(), new RegExp(`^keep \\S*:${leak - 1} \\(lines? ${leak}[,)]`));
    const answer = await fetch(why, { headers: { accept: 'application/json' } });
    const [site] = ((await answer.json()) as Explanation).sites;
    t.equal(site!.lines[0], leak);
    t.match(site!.paths[0]!.path, /^kept /);
  });

  await t.test('the flame page', async (t) => {
    const namesIn = (html: string) => {
      const [, json = ''] = /<script type="application\/json" id="profile">(.*?)<\/script>/s.exec(html) ?? [];
      return (JSON.parse(json) as { names: string[] }).names;
    };
    const page = async (query: string) =>
      (await fetch(`${written.url}flame?type=alloc_space${query}`)).text();
    t.ok(namesIn(await page('')).includes('makeItems'), 'by functions, as ever');
    const byLines = namesIn(await page('&granularity=lines'));
    for (const [name, own] of SITES) t.ok(byLines.includes(`${name}:${at(own)}`), `${name}:${at(own)}`);
    const file = written.file('page.html');
    fine(t, ['flame', '--lines', '--sample-index=alloc_space', allocs, '-o', file]);
    t.ok(namesIn(readFileSync(file, 'utf8')).includes(`keep:${leak}`));
  });
});

// Where V8 tells columns. It has no place for a literal: that counts at the call before it, where both are in one statement.
t.test(
  'a bundle of one line comes out at the lines of its sources',
  { skip: line >= 26 ? skip : 'V8 tells columns of calls since Node.js 26' },
  async (t) => {
    const written = await write(t, 'orders.min.js');
    const allocs = written.file('allocs.pb.gz');
    const pairs = [
      ['items', 'makeItems'],
      ['copy', 'receive'],
    ] as const;
    const calls = ['call of makeItems', 'call of makeOrder', 'call of receive'];
    const listed = fine(t, [
      'list',
      '--sample-index=alloc_space',
      allocs,
      '^(makeItems|makeOrder|receive|run)$',
    ]);
    for (const text of [...pairs.map(([text]) => text), ...calls]) t.match(rowOf(listed, text), FIGURE, text);
    const top = fine(t, ['top', '--lines', '--nodecount=0', '--sample-index=alloc_space', allocs]);
    for (const [text, name] of pairs)
      t.match(top, new RegExp(` ${name} \\S*orders\\.ts:${at(text)}(?: \\((?:partial-)?inline\\))?$`, 'm'));
  },
);

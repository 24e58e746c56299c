import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { findSources } from '#dist/capture/source-maps/find-sources.js';
import { withSources } from '#dist/capture/source-maps.js';
import type { Frame, MemProfileRecord } from '#dist/profile/public-types.js';
import { sourceMapStatus } from '#dist/sampler/source-map-tally.js';

const SOURCE = `interface Item { name: string }

// A comment that the compiler takes away.
export function makeItems(count: number): Item[] {
  return Array.from({ length: count }, (_, i) => ({ name: 'item' + i }));
}

export class Store {
  items: Item[] = [];

  fill(): void {
    this.items = makeItems(10);
  }
}
`;

const folder = t.testdir();
let files = 0;

/** Compiles the source with tsc and returns the path of what it built. */
function build(options: ts.CompilerOptions): string {
  const name = `built${++files}`;
  const { outputText, sourceMapText } = ts.transpileModule(SOURCE, {
    fileName: `../src/${name}.ts`,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, ...options },
  });
  mkdirSync(join(folder, 'dist'), { recursive: true });
  const file = join(folder, 'dist', `${name}.js`);
  writeFileSync(file, outputText);
  if (sourceMapText !== undefined) {
    const map = JSON.parse(sourceMapText);
    writeFileSync(`${file}.map`, JSON.stringify({ ...map, sources: [`../src/${name}.ts`] }));
  }
  return file;
}

function frame(fields: Partial<Frame>): Frame {
  return { functionName: 'f', fileName: '', lineNumber: 1, columnNumber: 1, address: 0x1000, ...fields };
}

function record(stack: readonly Frame[]): MemProfileRecord {
  return {
    allocBytes: 64,
    freeBytes: 32,
    allocObjects: 4,
    freeObjects: 2,
    thread: 3,
    stack: () => stack,
    inUseBytes: () => 32,
    inUseObjects: () => 2,
  };
}

async function mapped(...stack: Frame[]): Promise<readonly Readonly<Frame>[]> {
  const [only] = await withSources([record(stack)]);
  return only!.stack();
}

/** The frames V8 has of functions in a built file, from the profile of a child that runs it. */
function realFrames(file: string): Frame[] {
  const script = `
    const { Session } = require('node:inspector');
    const session = new Session();
    session.connect();
    session.post('HeapProfiler.startSampling', { samplingInterval: 1 });
    const { Store } = require(${JSON.stringify(file)});
    const store = new Store();
    for (let i = 0; i < 10; i++) store.fill();
    session.post('HeapProfiler.stopSampling', (_, { profile }) => {
      const frames = [];
      const visit = ({ callFrame, children }) => {
        if (callFrame.url.endsWith(${JSON.stringify(file)})) frames.push(callFrame);
        children.forEach(visit);
      };
      visit(profile.head);
      console.log(JSON.stringify(frames));
    });`;
  const frames: { functionName: string; lineNumber: number; columnNumber: number }[] = JSON.parse(
    execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }),
  );
  return frames.map(({ functionName, lineNumber, columnNumber }) =>
    frame({ functionName, fileName: file, lineNumber: lineNumber + 1, columnNumber: columnNumber + 1 }),
  );
}

for (const [what, options] of [
  ['beside the file', { sourceMap: true }],
  ['inline', { inlineSourceMap: true, inlineSources: true }],
] as const) {
  t.test(`a map of tsc ${what}`, async (t) => {
    const file = build(options);
    const frames = realFrames(file);
    const stack = await mapped(...frames);
    const lines = new Map(stack.map(({ functionName, lineNumber }) => [functionName, lineNumber]));
    t.equal(lines.get('makeItems'), 4);
    t.equal(lines.get('fill'), 11);
    t.not(frames.find(({ functionName }) => functionName === 'makeItems')?.lineNumber, 4);
    for (const { fileName, functionName } of stack.filter((each) => each.functionName === 'fill')) {
      t.match(fileName, /[/\\]built\d+\.ts$/, functionName);
    }
    t.strictSame(
      stack.map(({ address }) => address),
      frames.map(({ address }) => address),
    );
  });
}

t.test('everything else of a record stays as it is', async (t) => {
  const stack = [frame({ fileName: 'node:fs' })];
  const [only] = await withSources([record(stack)]);
  t.strictSame(
    [only!.allocBytes, only!.freeBytes, only!.allocObjects, only!.freeObjects, only!.thread],
    [64, 32, 4, 2, 3],
  );
  t.strictSame([only!.inUseBytes(), only!.inUseObjects()], [32, 2]);
  t.equal(only!.stack()[0], stack[0]);
});

t.test('a shortened name is put right where the map names just it', async (t) => {
  const file = join(folder, 'short.js');
  // Line 1 of the file is `function a(b){}`: column 9 is named, and so is the parameter.
  const map = {
    version: 3,
    sources: ['long.ts'],
    names: ['longName', 'parameter'],
    mappings: 'AAAA,SAASA,EAAEC',
  };
  writeFileSync(file, 'function a(b){}\n//# sourceMappingURL=short.js.map\n');
  writeFileSync(`${file}.map`, JSON.stringify(map));
  const at = { fileName: file, lineNumber: 1, columnNumber: 11 };
  const [short, other] = await mapped(
    frame({ ...at, functionName: 'a' }),
    frame({ ...at, functionName: 'notIt' }),
  );
  t.match(short, { functionName: 'longName', fileName: join(folder, 'long.ts'), lineNumber: 1 });
  t.match(other, { functionName: 'notIt', fileName: join(folder, 'long.ts'), lineNumber: 1 });
});

t.test('lines of calls are mapped themselves', async (t) => {
  const fileName = build({ sourceMap: true, removeComments: true });
  const built = readFileSync(fileName, 'utf8').split('\n');
  const placeOf = (text: string) => {
    const line = built.findIndex((each) => each.includes(text)) + 1;
    return { line, column: built[line - 1]!.indexOf(text) + 1 };
  };
  const sourceLine = (text: string) => SOURCE.split('\n').findIndex((each) => each.includes(text)) + 1;
  const start = { functionName: 'makeItems', start: -1, length: -1, ...placeOf('(count)') };
  const body = placeOf('return Array.from');
  const { places } = findSources({
    fileName,
    places: [
      start,
      { ...start, call: { line: body.line, column: 0 } },
      { ...start, call: placeOf('({ name') },
      // On the line on which the function starts, without a column, it may be anything.
      { ...start, call: { line: start.line, column: 0 } },
    ],
  });
  const line = sourceLine('export function makeItems');
  const call = sourceLine('return Array.from');
  t.not(call, body.line, 'the compiler took lines away');
  t.match(places[0], { line });
  t.equal(places[0]!.call, undefined);
  t.match(places[1], { line, call: { line: call, column: 0 } });
  t.match(places[2], { line, call: { line: call } });
  t.ok(places[2]!.call!.column > 1, 'with the column');
  t.match(places[3], { line });
  t.equal(places[3]!.call, undefined);
});

t.test('a sectioned map, and sources that are no files', async (t) => {
  const file = join(folder, 'sections.js');
  const map = { version: 3, sources: ['webpack://app/./src/x.ts'], names: [], mappings: 'AAEA' };
  const sections = { version: 3, sections: [{ offset: { line: 1, column: 0 }, map }] };
  writeFileSync(
    file,
    `\n()=>{}\n//# sourceMappingURL=data:application/json,${encodeURIComponent(JSON.stringify(sections))}`,
  );
  const [first] = await mapped(frame({ fileName: file, lineNumber: 2 }));
  t.match(first, { fileName: 'webpack://app/src/x.ts', lineNumber: 3 });
});

t.test('whatever is broken leaves frames as they are', async (t) => {
  const good = { version: 3, sources: ['x.ts'], names: [], mappings: 'AAAA' };
  const broken: [what: string, file: string, map: string | undefined][] = [
    ['no map', 'f()', undefined],
    ['a map that is not there', 'f()\n//# sourceMappingURL=nowhere.map', undefined],
    ['a map elsewhere', 'f()\n//# sourceMappingURL=https://example.com/x.map', undefined],
    ['a data URL without data', 'f()\n//# sourceMappingURL=data:application/json', undefined],
    ['a data URL that is no URL', 'f()\n//# sourceMappingURL=data:application/json,%E0%A4%A', undefined],
    ['no JSON', 'f()', '{"version":3,'],
    ['null', 'f()', 'null'],
    ['an array', 'f()', '[1,2]'],
    ['no mappings', 'f()', '{"version":3,"sources":["x.ts"],"names":[]}'],
    ['mappings of another type', 'f()', JSON.stringify({ ...good, mappings: { length: 4 } })],
    ['sources of another type', 'f()', JSON.stringify({ ...good, sources: 5 })],
    ['no such source', 'f()', JSON.stringify({ ...good, mappings: 'ACAA' })],
    ['a null source', 'f()', JSON.stringify({ ...good, sources: [null] })],
    ['deep nesting', 'f()', '['.repeat(100_000)],
    ['sections in sections', 'f()', JSON.stringify({ version: 3, sections: [{ offset: {}, map: null }] })],
  ];
  for (const [index, [what, text, map]] of broken.entries()) {
    const fileName = join(folder, `broken${index}.js`);
    writeFileSync(fileName, text);
    if (map !== undefined) writeFileSync(`${fileName}.map`, map);
    const given = frame({ fileName });
    t.strictSame(await mapped(given), [given], what);
  }
  const odd = [
    '',
    'node:fs',
    'evalmachine.<anonymous>',
    '/',
    folder,
    '/dev/zero',
    '/nowhere/x.js',
    '/a\0b.js',
  ];
  const frames = odd.map((fileName) => frame({ fileName }));
  t.strictSame(await mapped(...frames), frames);
  const unknown = frame({ fileName: build({ sourceMap: true }), lineNumber: 0 });
  const beyond = frame({ fileName: unknown.fileName, lineNumber: 2 ** 31 });
  t.strictSame(await mapped(unknown, beyond), [unknown, beyond]);
});

t.test('a pipe does not hold the writer up', { skip: process.platform === 'win32' }, async (t) => {
  const fileName = join(folder, 'pipe.js.map');
  execFileSync('mkfifo', [fileName]);
  writeFileSync(join(folder, 'pipe.js'), 'f()');
  const given = frame({ fileName: join(folder, 'pipe.js') });
  t.strictSame(await mapped(given), [given]);
});

t.test('frames are mapped once, and to the same object', async (t) => {
  const fileName = build({ sourceMap: true });
  const given = frame({ fileName, lineNumber: 5, functionName: 'makeItems' });
  const [first] = await mapped(given);
  writeFileSync(`${fileName}.map`, 'broken');
  t.equal((await mapped(given))[0], first);
  t.not(first, given);
  t.ok(Object.isFrozen(first));
});

t.test('hazard: a map is left out without a word', async (t) => {
  const before = sourceMapStatus().leftOut;
  const missing = join(folder, 'missing.js');
  writeFileSync(missing, 'f()\n//# sourceMappingURL=no-such.js.map\n');
  await mapped(frame({ fileName: missing }));
  await mapped(frame({ fileName: missing, lineNumber: 2 }));
  t.equal(sourceMapStatus().leftOut, before + 1, 'it is counted, once');
  t.match(sourceMapStatus().problem, /\d+ not found/);
  const large = join(folder, 'large.js');
  writeFileSync(large, 'f()');
  writeFileSync(`${large}.map`, '{');
  truncateSync(`${large}.map`, 65 * 2 ** 20);
  t.match(findSources({ fileName: large, places: [] }), { state: 'plain', problem: 'too large' });
});

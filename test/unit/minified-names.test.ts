import { spawnSync } from 'node:child_process';
import path from 'node:path';
import t from 'tap';
import { findBinding } from '#dist/capture/source-maps/binding.js';
import { findSources, type Place } from '#dist/capture/source-maps/find-sources.js';
import { fixtures, plainNode } from '../support/run.js';

/** The places V8 has of functions in a file: a child that runs it samples each allocation. */
function placesIn(file: string): Place[] {
  const script = `
    const { Session } = require('node:inspector');
    const session = new Session();
    session.connect();
    session.post('HeapProfiler.startSampling', { samplingInterval: 1 });
    require(${JSON.stringify(file)});
    session.post('HeapProfiler.stopSampling', (_, { profile }) => {
      const frames = [];
      const visit = ({ callFrame, children }) => {
        if (callFrame.url.endsWith(${JSON.stringify(file)})) frames.push(callFrame);
        children.forEach(visit);
      };
      visit(profile.head);
      console.log(JSON.stringify(frames));
    });`;
  const [command, ...args] = plainNode;
  const { stdout } = spawnSync(command, [...args, '-e', script], { encoding: 'utf8' });
  const frames: { functionName: string; lineNumber: number; columnNumber: number }[] = JSON.parse(stdout);
  return frames.map(({ functionName, lineNumber, columnNumber }) => ({
    functionName,
    line: lineNumber + 1,
    column: columnNumber + 1,
    start: -1,
    length: -1,
  }));
}

// What each minifier makes of names.ts; swc takes `expression` and the methods of `table` apart.
const EVERYWHERE = [
  ...['declared', 'arrowFunction', 'single', 'fillMethod', 'make', 'Klass', 'generate', 'assigned'],
  ...['holder.attached', 'asyncDeclared', 'run', 'get some'],
];

for (const [minifier, more] of [
  ['esbuild', ['expression', '_Store', 'method', 'property', 'fn']],
  ['terser', ['expression', 'Store', 'method', 'property', 'fn']],
  ['swc', ['Store']],
] as const) {
  t.test(`hazard: minified names of functions: ${minifier}`, async (t) => {
    const fileName = path.join(fixtures, 'minified', `${minifier}.js`);
    const places = placesIn(fileName);
    const answer = findSources({ fileName, places });
    t.equal(answer.state, 'mapped');
    const names = new Set(answer.places.map((place) => place?.functionName));
    for (const name of [...EVERYWHERE, ...more]) t.ok(names.has(name), name);
    const sources = new Set(answer.places.flatMap((place) => place?.fileName ?? []));
    t.strictSame([...sources], [path.join(fixtures, 'minified', 'names.ts')]);
  });
}

t.test('where the name of a function is', async (t) => {
  // V8's place is marked.
  for (const [line, functionName, found] of [
    ['function a▲(b){}', 'a', 'a@9'],
    ['function* a ▲(b){}', 'a', 'a@10'],
    ['var a=▲b=>b', 'a', 'a@4'],
    ['var a = ▲async (b)=>b', 'a', 'a@4'],
    ['var a=async function ▲(b){}', 'a', 'a@4'],
    ['a.b.c=function▲(){}', 'a.b.c', 'a@0 b@2 c@4'],
    ['a.b.c=function▲(){}', 'c', 'c@4'],
    ['x={a:▲()=>1}', 'a', 'a@3'],
    ['x={get a▲(){}}', 'get a', 'a@7'],
    ['class a{#b▲(){}}', '#b', '#b@8'],
    ['class a extends b{x=1;constructor▲(){}}', 'a', 'a@6'],
    ['a=class{constructor▲(){}}', 'a', 'a@0'],
    ['class a{};b=▲class{}', 'b', 'b@10'],
    ['▲class a{}', 'a', 'a@6'],
    ['var é=▲()=>1', 'é', 'é@4'],
    // Nothing is better than what is wrong.
    ['f(▲()=>1)', 'a', ''],
    ['function b▲(){}', 'a', ''],
    ['x={["a"]:▲()=>1}', 'a', ''],
    ['ba=▲()=>1', 'a', ''],
    ['▲', 'a', ''],
  ] as const) {
    const column = line.indexOf('▲');
    const bindings = findBinding(line.replace('▲', ''), column, functionName);
    t.equal(bindings.map(({ text, column }) => `${text}@${column}`).join(' '), found, line);
  }
});

import t from 'tap';
import { groupPaths, Holders, type NativePaths, objectsOf } from '#dist/analysis/holders.js';

/** Makes what the addon answers, of paths as `[edge kind, edge name, node kind, node name, file]` a step. */
class Answer {
  readonly raw: NativePaths = {
    nodes: 0,
    snapshotNs: 0,
    walkNs: 0,
    alive: 0,
    objects: [],
    steps: [],
    texts: [],
  };

  step(parent: number, edge: number, edgeName: string, kind: number, name: string, file?: string): number {
    const text = (of: string) => {
      const { texts } = this.raw;
      if (!texts.includes(of)) texts.push(of);
      return texts.indexOf(of);
    };
    const { steps } = this.raw;
    steps.push(parent, edge, text(edgeName), kind, text(name), file === undefined ? -1 : text(file), 0, 0);
    return steps.length / 8 - 1;
  }

  object(step: number): void {
    this.raw.objects.push(1, 100, step < 0 ? 1 : 2, step);
    this.raw.alive++;
  }

  paths() {
    const holders = new Holders(this.raw, (_, fileName) => ({ fileName, lineNumber: 7 }));
    return objectsOf(this.raw)
      .filter(({ step }) => step >= 0)
      .map(({ step }) => holders.pathTo(step));
  }
}

const [VARIABLE, ELEMENT, PROPERTY, INTERNAL] = [0, 1, 2, 3];
const [OBJECT, CLOSURE, SYNTHETIC, MODULE] = [3, 5, 9, 100];

t.test('a path begins at the last variable of a module', (t) => {
  const answer = new Answer();
  const roots = answer.step(-1, ELEMENT, '', SYNTHETIC, '(GC roots)');
  const loader = answer.step(roots, INTERNAL, '', MODULE, 'system / Context', 'node:internal');
  const cache = answer.step(loader, VARIABLE, 'cache', OBJECT, 'Object');
  const main = answer.step(cache, PROPERTY, 'main', CLOSURE, 'main', '/app/server.js');
  const scope = answer.step(main, INTERNAL, 'context', MODULE, 'system / Context', '/app/server.js');
  const bus = answer.step(scope, VARIABLE, 'bus', OBJECT, 'EventEmitter');
  const list = answer.step(bus, PROPERTY, 'tick', OBJECT, 'Array');
  for (let at = 0; at < 4; at++) {
    answer.object(answer.step(list, ELEMENT, '', CLOSURE, 'on', '/app/server.js'));
  }
  const [first] = answer.paths();
  t.strictSame(first!.segments, [
    'bus (module scope, server.js:7)',
    'EventEmitter.tick[]',
    'closure on server.js:7',
  ]);
  t.equal(first!.kind, 'closure');
  t.strictSame(first!.place, { fileName: '/app/server.js', lineNumber: 7 });
  t.end();
});

t.test('a scope of which there is one for each object is none of a module', (t) => {
  const answer = new Answer();
  const timers = answer.step(-1, 5, '', OBJECT, 'global');
  const list = answer.step(timers, PROPERTY, 'timers', OBJECT, 'Array');
  for (let at = 0; at < 30; at++) {
    const closure = answer.step(list, ELEMENT, '', CLOSURE, '', '/app/server.js');
    const scope = answer.step(closure, INTERNAL, 'context', MODULE, 'system / Context');
    answer.object(answer.step(scope, VARIABLE, 'copy', OBJECT, 'Object'));
  }
  t.strictSame(answer.paths()[0]!.segments, ['global.timers[]', 'closure server.js:7', 'copy']);
  t.end();
});

t.test('a list of any length is of one shape, also where steps were left out', (t) => {
  const answer = new Answer();
  let at = answer.step(-1, 5, '', OBJECT, 'Lists');
  for (let length = 0; length < 10; length++) {
    at = answer.step(
      at,
      length === 6 ? 100 + PROPERTY : PROPERTY,
      length % 2 ? '_idlePrev' : '_idleNext',
      OBJECT,
      'Timeout',
    );
    answer.object(answer.step(at, PROPERTY, 'value', OBJECT, 'Array'));
  }
  const paths = answer.paths();
  t.strictSame(paths.at(-1)!.segments, ['Lists._idleNext', 'Timeout._idleNext', 'Timeout.value']);
  t.equal(new Set(paths.slice(1).map(({ segments }) => segments.join())).size, 1);
  t.end();
});

t.test('what is held by another object of the site belongs to what holds that one', (t) => {
  const paths = [
    ...Array.from({ length: 30 }, () => ({ segments: ['bus', 'tick[]', 'closure'], kind: 'closure' })),
    ...Array.from({ length: 60 }, () => ({ segments: ['bus', 'tick[]', 'closure', 'big'], kind: 'Array' })),
    ...Array.from({ length: 9 }, () => ({ segments: ['cache', 'Map[]'], kind: 'Session' })),
    { segments: ['bus', 'tick'], kind: 'elements' },
    ...['id', 'name', 'cart'].map((name) => ({ segments: ['store', '.users[]', name], kind: 'Array' })),
    { segments: ['store', '.users[]', 'cart'], kind: 'Array' },
  ].map((each) => ({ ...each, place: undefined }));
  const groups = groupPaths(paths);
  t.strictSame(
    groups.map(({ segments, members }) => `${members.length} ${segments.join(' → ')}`),
    ['90 bus → tick[] → closure → big', '9 cache → Map[]', '4 store → .users[]', '1 bus → tick'],
  );
  t.strictSame(
    [...groups[0]!.kinds],
    [
      ['Array', 60],
      ['closure', 30],
    ],
  );
  t.end();
});

t.test('an object that nothing holds has no path', (t) => {
  const answer = new Answer();
  answer.object(-1);
  t.strictSame(
    objectsOf(answer.raw).map(({ state }) => state),
    ['not held'],
  );
  t.strictSame(answer.paths(), []);
  t.end();
});

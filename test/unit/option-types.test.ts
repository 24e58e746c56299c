// What declares options again, such as TypeScript's interfaces and the defaults of C++, agrees with the table.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { native } from '#dist/addon/native.js';
import { defaultOf, OPTIONS, optionsOf, type Taker } from '#dist/base/options.js';
import { start, stop } from '#dist/index.js';
import { root } from '../support/run.js';

const interfaces: [file: string, name: string, taker: Taker][] = [
  ['profile/public-types.ts', 'StartOptions', 'start'],
  ['capture/lookup.ts', 'WriteOptions', 'writeTo'],
  ['capture/lookup.ts', 'EncodeOptions', 'encode'],
  ['profile/model.ts', 'ParseOptions', 'parseProfile'],
  ['sampler/mem-stats.ts', 'ReadMemStatsOptions', 'readMemStats'],
  ['http/handler.ts', 'HandlerOptions', 'handler'],
  ['http/serve.ts', 'ServeOptions', 'serve'],
  ['measure/types.ts', 'MeasureOptions', 'measure'],
  ['measure/count-objects.ts', 'CountObjectsOptions', 'countObjects'],
  ['measure/assert-allocs.ts', 'AllocLimits', 'assertAllocs'],
  ['export/push-options.ts', 'PushOptions', 'push'],
  ['export/prometheus-collector.ts', 'MemprofMetricsOptions', 'memprofMetrics'],
];

t.test('types name the options of the table, and their defaults', (t) => {
  const files = interfaces.map(([file]) => path.join(root, 'lib', file));
  const program = ts.createProgram(files, { target: ts.ScriptTarget.ES2022, skipLibCheck: true });
  const checker = program.getTypeChecker();
  for (const [at, [, name, taker]] of interfaces.entries()) {
    const source = program.getSourceFile(files[at]!)!;
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source)!);
    const symbol = exported.find((each) => each.name === name);
    const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol!));
    const names = members.map((each) => each.name).sort();
    t.strictSame(
      names,
      optionsOf(taker)
        .map((each) => each.name)
        .sort(),
      `${name} has what ${taker} takes`,
    );
    for (const option of optionsOf(taker)) {
      const value = defaultOf(option, taker);
      if (value === undefined || value === null) continue;
      const member = members.find((each) => each.name === option.name)!;
      const text = ts.displayPartsToString(member.getDocumentationComment(checker));
      const shown =
        typeof value === 'number' && value % 2 ** 20 === 0 && value > 0
          ? `${value / 2 ** 20} MiB`
          : `${value}`;
      t.ok(
        text.includes(`Default ${shown}`) || text.includes(`Default '${shown}'`) || /\(default\)/.test(text),
        `${name}.${option.name}: its comment says ${shown}`,
      );
    }
  }
  t.end();
});

t.test("C++ has the table's defaults", (t) => {
  const initial = (name: string) =>
    OPTIONS.find((each) => each.name === name && each.takers.includes('start'))!.default;
  const header = readFileSync(path.join(root, 'native', 'isolate', 'isolate_registry.h'), 'utf8');
  const latest = /SamplerOptions latest_\{([^}]*)\}/.exec(header)?.[1] ?? '';
  const fieldOf = (name: string) =>
    Number(new RegExp(`\\.${name} = ([\\d.']+)`).exec(latest)?.[1]?.replaceAll("'", ''));
  start({ buffers: true });
  const { heap, tables, buffers } = native().readStatus();
  stop();
  t.equal(heap.stackDepth, heap.source === 'direct' ? fieldOf('direct_depth') : initial('stackDepth'));
  t.equal(tables.maxBytes, initial('maxTableBytes'));
  t.equal(buffers.sampleInterval, initial('bufferSampleInterval'));
  t.equal(heap.sampleInterval, initial('sampleInterval'));
  const [, interval] = /kDefaultInterval = (\d+) \* 1024;/.exec(header) ?? [];
  t.equal(fieldOf('stack_depth'), initial('stackDepth'));
  t.equal(fieldOf('max_overhead'), initial('maxOverhead'));
  t.equal(fieldOf('max_pause_ns') / 1e6, initial('maxPause'));
  t.equal(fieldOf('direct_samples') === 1, initial('directSamples'));
  t.equal(Number(interval) * 1024, initial('sampleInterval'));
  t.end();
});

import t from 'tap';
import { type DevToolsNode, formatHeapProfile, toHeapProfile } from '#dist/formats/devtools/encode.js';
import { profileFromRecords } from '#dist/profile/heap-values.js';
import { frame, record, someRecords } from '../support/records.js';

const options = { sampleInterval: 1, defaultSampleType: 'inuse_space', timeNanos: 1, program: '' };
const leaf = frame({ functionName: 'leaf', fileName: 'node:fs', lineNumber: 3, columnNumber: 9 });
const root = frame({ functionName: 'root', lineNumber: 1, columnNumber: 1 });
const unknown = frame({ functionName: '(V8 API)', fileName: '', lineNumber: 0, columnNumber: 0 });

t.test('a call tree with sizes', async (t) => {
  const records = [
    record({ allocObjects: 5, allocBytes: 80, inUseObjects: 2, inUseBytes: 32 }, [leaf, root]),
    record({ allocObjects: 1, allocBytes: 8, inUseObjects: 1, inUseBytes: 8 }, [root]),
    record({ allocObjects: 1, allocBytes: 64, inUseObjects: 1, inUseBytes: 64 }, [frame(leaf), root]),
    record({ allocObjects: 9, allocBytes: 900 }, [unknown]),
  ];
  const profile = profileFromRecords(records, options);
  const call = (
    functionName: string,
    scriptId: string,
    url: string,
    lineNumber: number,
    columnNumber: number,
  ) => ({
    functionName,
    scriptId,
    url,
    lineNumber,
    columnNumber,
  });
  const leafNode = { callFrame: call('leaf', '2', 'node:fs', 2, 8), selfSize: 96, id: 3, children: [] };
  const rootNode = {
    callFrame: call('root', '1', '/app/main.js', 0, 0),
    selfSize: 8,
    id: 2,
    children: [leafNode],
  };
  // Scripts are numbered leaf last, as they are met from the root.
  t.strictSame(toHeapProfile(profile), {
    head: { callFrame: call('(root)', '0', '', -1, -1), selfSize: 0, id: 1, children: [rootNode] },
    samples: [
      { size: 32, nodeId: 3, ordinal: 1 },
      { size: 8, nodeId: 2, ordinal: 2 },
      { size: 64, nodeId: 3, ordinal: 3 },
    ],
  });
  const total = (sampleType: string) =>
    toHeapProfile(profile, sampleType).samples.reduce((sum, { size }) => sum + size, 0);
  t.equal(total('inuse_space'), 104);
  t.equal(total('inuse_objects'), 4);
  t.equal(total('alloc_space'), 1052);
  t.equal(total('alloc_objects'), 16);
  t.throws(() => toHeapProfile(profile, 'cpu'), { code: 'ERR_MEMPROF_OUT_OF_RANGE' });
  t.strictSame(
    toHeapProfile(profile, 'alloc_space').head.children[1]?.callFrame,
    call('(V8 API)', '0', '', -1, -1),
  );
});

t.test('the text is that of JSON', async (t) => {
  for (const records of [[], someRecords(300)]) {
    const profile = profileFromRecords(records, options);
    t.equal(formatHeapProfile(profile), JSON.stringify(toHeapProfile(profile)));
  }
});

/** `HeapProfiler.SamplingHeapProfile` of the DevTools protocol: every field is required, and there is no other. */
function conforms(profile: ReturnType<typeof toHeapProfile>): boolean {
  const has = (value: object, types: Record<string, string>) =>
    Object.keys(value).sort().join() === Object.keys(types).sort().join() &&
    Object.entries(types).every(([key, type]) => {
      const field = (value as Record<string, unknown>)[key];
      return type === 'integer'
        ? Number.isSafeInteger(field)
        : type === 'array'
          ? Array.isArray(field)
          : typeof field === type;
    });
  const callFrame = {
    functionName: 'string',
    scriptId: 'string',
    url: 'string',
    lineNumber: 'integer',
    columnNumber: 'integer',
  };
  const ids = new Set<number>();
  const isNode = (node: DevToolsNode): boolean =>
    has(node, { callFrame: 'object', selfSize: 'number', id: 'integer', children: 'array' }) &&
    has(node.callFrame, callFrame) &&
    !ids.has(node.id) &&
    ids.add(node.id) !== undefined &&
    node.children.every(isNode);
  return (
    has(profile, { head: 'object', samples: 'array' }) &&
    isNode(profile.head) &&
    profile.samples.every(
      (sample) =>
        has(sample, { size: 'number', nodeId: 'integer', ordinal: 'number' }) && ids.has(sample.nodeId),
    )
  );
}

t.test("it satisfies the protocol's type", async (t) => {
  const profile = profileFromRecords(someRecords(500), options);
  for (const { type } of profile.sampleTypes) {
    t.ok(conforms(JSON.parse(formatHeapProfile(profile, type))), type);
  }
});

t.test('sizes add up', async (t) => {
  const profile = profileFromRecords(someRecords(500), { ...options, sampleInterval: 1024 });
  const sum = (node: DevToolsNode): number =>
    node.children.reduce((all, child) => all + sum(child), node.selfSize);
  const expected = profile.samples.reduce((all, { values }) => all + values[3]!, 0);
  t.equal(sum(toHeapProfile(profile).head), expected);
});

t.test('a stack of any depth', async (t) => {
  const stack = Array.from({ length: 60_000 }, (_, i) => frame({ lineNumber: i + 1 }));
  const profile = profileFromRecords(
    [record({ allocObjects: 1, allocBytes: 8, inUseObjects: 1, inUseBytes: 8 }, stack)],
    options,
  );
  t.match(
    formatHeapProfile(profile),
    /"selfSize":8,"id":60001,"children":\[\]\}(?:\]\}){60000},"samples":\[/,
  );
});

import t from 'tap';
import type { Status } from '#dist/index.js';
import { report } from '../support/run.js';

interface Round {
  /** Nodes known after a harvest of the whole tree, and after one of what was left of it. */
  grown: number;
  shrunk: number;
  /** Nodes of the tree that was left, by V8's own account. */
  tree: number;
  isolateBytes: number;
  stacks: number;
}

// 5 s on a small machine; the more time, the fewer machines are too slow for it.
const SECONDS = 20;
const WANTED = 1_000_000;

t.test('the map of V8 node ids stays as small as the tree, however many ids there were', async (t) => {
  const { newNodes, rounds, status } = await report<{ newNodes: number; rounds: Round[]; status: Status }>(
    'node-churn',
    {
      args: [String(SECONDS), String(WANTED)],
      // Inlined functions have no nodes.
      flags: ['--expose-gc', '--no-opt', '--no-maglev'],
    },
  );
  t.comment(`${newNodes} new node ids in ${rounds.length} rounds`);
  t.ok(newNodes >= WANTED || rounds.length >= 10, 'there were many new ids', { newNodes });
  t.equal(status.heap.samplesImputed, status.heap.samplesLost);

  // A scavenge in the middle of a round takes some of its paths with it: on a busy machine in half of the rounds. Ten large
  // trees that shrank show as much as fifty.
  const large = rounds.filter(({ grown }) => grown >= 10_000).length;
  t.ok(
    large >= Math.min(10, rounds.length * 0.7),
    `the tree was large before: in ${large} of ${rounds.length} rounds`,
  );
  for (const { shrunk, tree } of rounds) {
    if (shrunk > 2 * tree) t.fail('the map is more than twice the tree', { shrunk, tree });
  }
  const largest = Math.max(...rounds.map((round) => round.isolateBytes));
  t.ok(largest < 1024 * 1024, 'nor does memory grow with the ids: so many would take 24 MB and more', {
    largest,
  });
  // The first rounds meet every stack.
  const settled = rounds[2]!;
  const last = rounds.at(-1)!;
  t.ok(last.stacks <= settled.stacks * 1.01, 'the same stacks under new ids are not stored again', {
    settled,
    last,
  });
});

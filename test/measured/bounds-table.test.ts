import t from 'tap';
import { endedWell, lastLine, plausible, type Report, run, scaled, soak } from '../support/hazard.js';

const MIB = 1024 * 1024;

type TableReport = Report &
  Record<
    | 'limit'
    | 'tableBytes'
    | 'highest'
    | 'cutStacks'
    | 'overflowSamples'
    | 'overflow'
    | 'cutAt'
    | 'overflowAt'
    | 'mostKnown',
    number
  >;

const limits = soak ? [0, 4 * MIB] : [MIB];

for (const maxTableBytes of limits) {
  t.test(
    `distinct stacks without end, tables of ${maxTableBytes === 0 ? 'the default size' : `${maxTableBytes} bytes`}`,
    async (t) => {
      const stacks = scaled(t, 'stacks', 30000, 1000000);
      const outcome = await run('bounds-table.cjs', {
        nodeArgs: ['--expose-gc'],
        args: [stacks, maxTableBytes],
      });
      endedWell(t, outcome);
      const report = lastLine<TableReport>(outcome);
      t.comment(
        `${report.mostKnown} stacks known; first cut after ${report.cutAt} calls, first overflow after ${report.overflowAt}; ` +
          `${report.cutStacks} cut, ${report.overflowSamples} samples in (overflow)`,
      );
      t.equal(report.limit, maxTableBytes === 0 ? 32 * MIB : maxTableBytes);
      t.ok(
        report.tableBytes <= report.limit && report.highest <= report.limit,
        `${report.highest} bytes at most`,
      );
      t.ok(report.tableBytes > report.limit / 2, 'the room there is is used');
      t.ok(report.cutStacks > 0 && report.cutAt > 0, 'stacks were cut');
      // Which comes first is not certain: stacks are interned when their tree is read, buckets when they count.
      t.ok(report.overflowSamples > 0 && report.overflowAt > 0, 'and counted as (overflow)');
      t.equal(report.overflow, report.overflowSamples, 'status() and the record agree');
      t.ok(report.allocObjects >= stacks, 'every object counts');
      plausible(t, report, { stopped: true, leastSamples: stacks });
    },
  );
}

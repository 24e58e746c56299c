import t from 'tap';
import type { Status } from '#dist/sampler/status.js';
import { endedWell, lastLine, run } from '../support/hazard.js';

interface Measured {
  all: number;
  written: number;
  harvested: number;
}

interface WritersReport {
  records: number;
  text: Measured;
  folded: Measured;
  proto: Measured;
  mapped: Measured;
  source: Status['heap']['source'];
  overhead: Status['overhead'];
  internal: Status['internal'];
}

const ms = (ns: number) => `${(ns / 1e6).toFixed(1)} ms`;

t.test('hazard: what profiles cost the thread that writes them is part of the overhead', async (t) => {
  const outcome = await run('overhead-counts-writers.cjs', { args: ['profiled'] });
  endedWell(t, outcome);
  const report = lastLine<WritersReport>(outcome);
  t.ok(report.records > 1000, `${report.records} records`);
  for (const kind of ['text', 'folded', 'proto', 'mapped'] as const) {
    const { all, written, harvested } = report[kind];
    t.comment(
      `${kind}: ${ms(written)} written and ${ms(harvested)} harvested of ${ms(all)} CPU time of the process`,
    );
    // CPU time of the whole process is no less, and its resolution that of the system's clock ticks at worst.
    t.ok(written + harvested <= all + 20e6, `${kind}: no more than there was`);
    t.ok(written > 0, `${kind}: is counted`);
    // All of text is made on the thread; of proto, what brings the figures up to date and hands them on.
    if (kind !== 'proto') t.ok(written > all * 0.3, `${kind}: what takes time is counted`);
  }
  t.ok(report.proto.written < report.text.written, 'proto is written off the thread');
  const { overhead, internal } = report;
  const { runningNs } = internal;
  const close = (share: number, ns: number) => Math.abs(share - ns / runningNs) < 1e-9;
  t.ok(close(overhead.reading, internal.harvestCpuNs + internal.readCpuNs), 'the share of reading');
  t.ok(close(overhead.writing, internal.writeCpuNs), 'the share of writing');
  const { directSampleNs, v8SampleNs } = internal;
  if (report.source === 'public') t.equal(overhead.sampling, null, 'what V8 takes for samples is not known');
  else t.ok(close(overhead.sampling ?? 0, directSampleNs + v8SampleNs), 'the share of samples');
  const parts = overhead.reading + overhead.writing + (overhead.sampling ?? 0);
  t.ok(Math.abs(overhead.total - parts) < 1e-9, 'the total is all of these');
  t.ok(overhead.lastMinute * runningNs > internal.writeCpuNs, 'and so it is in the last minute');
});

t.test('what is written on a thread that is not profiled takes nothing from the program', async (t) => {
  const outcome = await run('overhead-counts-writers.cjs', { args: ['not'] });
  endedWell(t, outcome);
  const report = lastLine<WritersReport>(outcome);
  t.ok(report.records > 1000, `${report.records} records`);
  for (const kind of ['text', 'folded', 'proto', 'mapped'] as const) t.equal(report[kind].written, 0, kind);
});

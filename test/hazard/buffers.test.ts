import t, { type Test } from 'tap';
import { BASELINE, type BufferFigures, type BufferReport, plausibleBuffers } from '../support/buffers.js';
import { endedWell, run, scaled } from '../support/hazard.js';

async function one(t: Test, scenario: string, what: string, ci: number, full: number): Promise<BufferReport> {
  const times = scaled(t, what, ci, full);
  const outcome = await run('hazard-buffers.cjs', { nodeArgs: ['--expose-gc'], args: [scenario, times] });
  return plausibleBuffers(t, outcome);
}

t.test('resizable and growable buffers', async (t) => {
  const report = await one(t, 'resizable', 'buffers', 10, 2000);
  t.ok(report.allocBytes < BASELINE, 'reserved addresses are not counted', report);
});

t.test('WebAssembly.Memory that grows', async (t) => {
  const report = await one(t, 'wasm', 'memories', 10, 1000);
  t.ok(Number(report.pages) >= 320 && report.allocBytes < BASELINE, 'is not counted', report);
});

t.test('structuredClone, with copies and transfers', async (t) => {
  const report = await one(t, 'clone', 'clones', 1000, 300_000);
  // The buffer, which is transferred, and its copy.
  t.ok(report.allocObjects >= 2000 && report.allocBytes >= Number(report.bytes), 'each is counted', report);
  t.ok(report.inUseBytes < BASELINE, 'all are freed');
});

t.test('a storm of Buffer.concat', async (t) => {
  const report = await one(t, 'concat', 'times', 1000, 200_000);
  t.ok(report.allocBytes > 0.9 * Number(report.bytes), 'is counted', report);
  t.ok(report.inUseBytes < BASELINE, 'and freed');
});

t.test('typed arrays that leave the heap', async (t) => {
  const report = await one(t, 'materialized', 'arrays', 5000, 500_000);
  t.equal(report.mismatches, 0, 'contents stay');
  t.ok(report.allocObjects >= 5000, `${report.allocObjects} were counted`);
});

t.test('an allocation that fails throws as ever, and counts for nothing', async (t) => {
  const report = await one(t, 'failure', 'times', 5, 500);
  t.strictSame(report.errors, ['RangeError: Array buffer allocation failed']);
  t.ok(Number(report.failedBytes) < BASELINE, `${report.failedBytes} bytes`);
});

t.test('buffers up to the end of the stack', async (t) => {
  const report = await one(t, 'deep', 'overflows', 1, 20);
  t.ok(Number(report.overflows) > 0 && Number(report.made) > 1000, 'the stack overflows as ever', report);
  t.ok(report.allocObjects >= Number(report.made), 'every buffer is counted');
});

t.test('buffers of other contexts', async (t) => {
  const report = await one(t, 'contexts', 'contexts', 50, 2000);
  const { allocBytes } = report.inContext as BufferFigures;
  t.equal(allocBytes, report.bytes, 'have the stacks they have there');
});

t.test('start and stop while buffers live', async (t) => {
  const report = await one(t, 'restarts', 'times', 200, 10_000);
  t.equal(report.restartsWrong, 0, 'no record was ever negative');
});

t.test('the process ends while buffers are freed', async (t) => {
  const buffers = scaled(t, 'buffers', 10_000, 300_000);
  for (let i = 0; i < 2; i++) {
    const outcome = await run('hazard-buffers.cjs', { nodeArgs: ['--expose-gc'], args: ['exit', buffers] });
    endedWell(t, outcome, 7);
  }
});

t.test('streams, zlib, crypto and HTTP', async (t) => {
  const times = scaled(t, 'times', 5, 500);
  const outcome = await run('hazard-buffers-load.cjs', { nodeArgs: ['--expose-gc'], args: [times, 0] });
  const report = plausibleBuffers(t, outcome);
  t.equal(report.mismatches, 0, 'what comes out is what went in');
  t.equal(report.requests, times);
});

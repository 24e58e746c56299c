import t, { type Test } from 'tap';
import type { MemoryBreakdown, MemoryPartName } from '#dist/index.js';
import { report } from '../support/run.js';
import { testAddon } from '../support/test-addon.js';

interface Report {
  rss: number;
  breakdown: MemoryBreakdown;
  collected: MemoryBreakdown;
}

const MIB = 2 ** 20;

async function shape(t: Test, kind: string, verdict: MemoryBreakdown['verdict']['kind']) {
  const { rss, breakdown, collected } = await report<Report>('memory-shapes', {
    args: [kind, testAddon(t, 'taking')],
  });
  const sum = breakdown.parts.reduce((total, { bytes }) => total + bytes, 0);
  t.equal(sum, breakdown.rss, 'the parts add up');
  t.ok(Math.abs(breakdown.rss / rss - 1) < 0.03, `${breakdown.rss} of the ${rss} that the system counts`);
  t.equal(breakdown.verdict.kind, verdict, breakdown.verdict.text);
  t.strictSame(breakdown.problems, []);
  const part = (name: MemoryPartName) =>
    (breakdown.parts.find((each) => each.name === name)?.bytes ?? 0) / MIB;
  t.ok(part('unexplained') < 0.03 * (rss / MIB), `${part('unexplained').toFixed(1)} MiB unexplained`);
  const within = (name: MemoryPartName, low: number, high: number) =>
    t.ok(
      part(name) > low && part(name) < high,
      `${name}: ${part(name).toFixed(1)} MiB, of ${low} to ${high}`,
    );
  return { breakdown, collected, within, part };
}

if (process.platform !== 'linux') {
  t.comment('skipped: resident memory is taken apart on Linux only');
} else {
  t.test('a large heap', async (t) => {
    const { breakdown, collected, part } = await shape(t, 'heap', 'heap');
    const { used, committed, spaces, garbage } = breakdown.heap!;
    t.ok(used > 110 * MIB && used <= committed, `${used} of ${committed}`);
    t.ok(
      part('heap') * MIB > 0.85 * used && part('heap') * MIB < 1.15 * committed,
      'what V8 says is what is resident',
    );
    t.equal(garbage, null, 'which is not known before a collection');
    t.ok(collected.heap!.garbage! > 0);
    const sum = spaces.reduce((total, space) => total + space.used, 0);
    t.ok(Math.abs(sum / used - 1) < 0.01, 'spaces add up');
  });
  t.test('many buffers, large and small', async (t) => {
    const { breakdown, within } = await shape(t, 'buffers', 'buffers');
    within('buffers', 190, 205);
    t.ok(Math.abs(breakdown.external!.buffers! / (150 * MIB + 5e7) - 1) < 0.02);
  });
  t.test('40 workers', async (t) => {
    const { breakdown, within } = await shape(t, 'workers', 'threads');
    t.equal(breakdown.heap!.threads, 41);
    t.ok(breakdown.threads >= 41, `${breakdown.threads} stacks`);
    within('buffers', -1, 25);
  });
  t.test('native memory of an addon', async (t) => {
    const { within } = await shape(t, 'native', 'native');
    within('native', 195, 215);
  });
  t.test('fragmentation: every second small chunk is freed', async (t) => {
    const { within, breakdown } = await shape(t, 'fragmented', 'fragmentation');
    within('native', 195, 215);
    within('mallocFree', 195, 215);
    t.ok(breakdown.malloc!.free > 195 * MIB);
    t.match(breakdown.verdict.advice.join(), /jemalloc.*malloc_trim/);
  });
  t.test('WebAssembly.Memory, resizable ArrayBuffers, growable shared ones', async (t) => {
    const { within } = await shape(t, 'reserved', 'reserved');
    within('reserved', 149, 152);
  });
  t.test('strings outside the heap', async (t) => {
    const { within, breakdown } = await shape(t, 'strings', 'buffers');
    within('buffers', 145, 160);
    t.ok(breakdown.external!.buffers! < 10 * MIB);
    t.match(breakdown.verdict.advice.join(), /external strings/);
  });
}

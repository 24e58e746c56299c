import t from 'tap';
import { death, dumpsIn, FILE, leakIsOnTop, runOut } from '../support/heap-limit.js';

t.test('workers run out of heap: they end as without memprof, and the process lives', async (t) => {
  const workers = 4;
  for (const together of [false, true]) {
    const without = await runOut({ workers, together });
    t.same(JSON.parse(without.stdout), Array(workers).fill('ERR_WORKER_OUT_OF_MEMORY 1'));
    const folder = t.testdir({});
    const outcome = await runOut({
      workers,
      together,
      inherit: !together,
      start: { sampleInterval: 16384, heapLimitDump: folder, directSamples: together },
    });
    t.strictSame(death(outcome), death(without), `${workers} workers${together ? ' at once' : ''}`);
    t.equal(outcome.code, 0);
    const files = dumpsIn(t, folder, outcome);
    t.equal(files.length, workers, 'a dump for each');
    const threads = files.map((file) => Number(FILE.exec(file.slice(folder.length + 1))?.[1]));
    t.same(
      threads.sort((a, b) => a - b),
      Array.from({ length: workers }, (_, i) => i + 1),
    );
    for (const file of files) leakIsOnTop(t, file, 'keepsObjects');
  }
});

t.test('no more than 16 dumps while the process lives', async (t) => {
  const folder = t.testdir({});
  const outcome = await runOut({
    workers: 18,
    megabytes: 8,
    start: { sampleInterval: 65536, heapLimitDump: folder },
  });
  t.same(JSON.parse(outcome.stdout), Array(18).fill('ERR_WORKER_OUT_OF_MEMORY 1'));
  t.equal(dumpsIn(t, folder, outcome).length, 16);
});

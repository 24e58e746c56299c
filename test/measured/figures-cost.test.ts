import { readFileSync } from 'node:fs';
import t from 'tap';
import { native } from '#dist/addon/native.js';
import { readMemStats, start, stop } from '#dist/index.js';

/** Bytes that this thread read, from files and from /proc. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)/.exec(readFileSync('/proc/thread-self/io', 'latin1'))![1]);
}

const notLinux = process.platform !== 'linux' && 'counts what the thread reads, in /proc';

t.test('readMemStats does not read the list of memory mappings', { skip: notLinux }, (t) => {
  readMemStats();
  const itself = readFileSync('/proc/thread-self/io').length;
  const mappings = readFileSync('/proc/self/maps').length;
  t.ok(mappings > 10 * itself, `${mappings} bytes of mappings`);
  const before = bytesRead();
  for (let i = 0; i < 10; i++) readMemStats();
  const read = bytesRead() - before;
  t.ok(read < mappings, `${read} bytes read in 10 calls`);
  t.ok(readMemStats().stackInuse > 0);
  t.end();
});

t.test('how often a call takes the lock of all threads', (t) => {
  start({ sampleInterval: 65536 });
  const { registryLockings } = native();
  const lockingsOf = (call: () => unknown): number => {
    const before = registryLockings();
    call();
    return registryLockings() - before - 1;
  };
  const figures = new Float64Array(4);
  t.equal(
    lockingsOf(() => native().readMeter(figures, 1)),
    0,
    'to know the calling thread: never',
  );
  t.equal(
    lockingsOf(() => native().readMemFigures(false)),
    0,
    "this thread's figures",
  );
  t.equal(
    lockingsOf(() => native().readRecords(true, false)),
    0,
    'records',
  );
  t.equal(
    lockingsOf(() => native().readBufferFigures()),
    0,
  );
  t.equal(
    lockingsOf(() => native().readMemFigures(true)),
    1,
    "the process's figures",
  );
  t.equal(
    lockingsOf(() => native().readStatus()),
    1,
  );
  stop();
  t.end();
});

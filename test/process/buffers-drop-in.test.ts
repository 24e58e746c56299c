import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parseProfile } from '#dist/index.js';
import { sitesOf } from '../support/buffers.js';
import { memprof } from '../support/cli.js';
import { programPath, root, runNodeSync } from '../support/run.js';

const program = programPath('buffers-plainly');
const BYTES = 20_000_000;
const FILE = /^memprof-buffers\.\d{8}\.\d{6}\.\d+\.0\.\d{3}\.pb\.gz$/;

function bufferProfile(folder: string) {
  const files = readdirSync(folder);
  const file = files.find((name) => FILE.test(name));
  return { files, sites: sitesOf(parseProfile(readFileSync(path.join(folder, file!)))) };
}

// 200 buffers of 100 kB, of which 95 % are sampled: sigma is 1.6 %, and the bound at nine of them.
const isRight = (bytes: number) => Math.abs(bytes - BYTES) < 0.15 * BYTES;

t.test('memprof run --buffers', (t) => {
  const folder = t.testdir({});
  const outcome = memprof(['run', '--buffers', '--buffer-sample-interval', '32k', '--dir', folder, program]);
  t.equal(outcome.code, 0);
  t.equal(outcome.stdout, 'done\n');
  const { files, sites } = bufferProfile(folder);
  t.equal(files.length, 2, `beside that of the heap: ${files}`);
  t.match(sites[0]!.leaf, { functionName: 'keepsBuffers', fileName: program, lineNumber: 7 });
  t.ok(isRight(sites[0]!.inUseBytes), `${sites[0]!.inUseBytes} bytes in use`);
  t.match(outcome.stderr, /of buffers in use at the end, most of it by\n.*keepsBuffers/);
  t.match(outcome.stderr, 'memprof: wrote ');
  t.end();
});

t.test('MEMPROF_BUFFERS', (t) => {
  const folder = t.testdir({});
  const env = {
    ...process.env,
    MEMPROF: 'at-exit=1,buffers=1,buffer-sample-interval=32k',
    MEMPROF_DIR: folder,
  };
  const register = path.join(root, 'dist', 'register.js');
  const outcome = runNodeSync(program, { flags: ['--require', register], env });
  t.equal(outcome.stdout, 'done\n');
  const { files, sites } = bufferProfile(folder);
  t.equal(files.length, 2, `beside that of the heap: ${files}`);
  t.match(sites[0]!.leaf, { functionName: 'keepsBuffers', lineNumber: 7 });
  t.ok(isRight(sites[0]!.inUseBytes), `${sites[0]!.inUseBytes} bytes in use`);
  t.end();
});

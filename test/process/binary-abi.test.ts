import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { prebuiltName } from '#dist/addon/binary.js';
import { report, root, runCommand } from '../support/run.js';

type Failure = { name: string; code: string; message: string; cause?: string } | null;

interface Report {
  /** Of `start`, `MemProfile`, `readMemStats`, `lookup('heap').count`. */
  failures: Failure[];
  status: { state: string; unavailable: string | null; samplesSeen: number; threads: object[] };
  stopping: Failure;
}

const env = { ...process.env };
delete env.PREBUILDS_ONLY;
const abi = process.versions.modules;

/** The package in a directory of its own, without any binary. */
function packageWithout(t: Test): string {
  const directory = realpathSync(t.testdir());
  for (const part of ['package.json', 'native', 'dist']) {
    cpSync(path.join(root, part), path.join(directory, part), { recursive: true });
  }
  return directory;
}

function put(directory: string, binary: string, name = 'build/Release/memprof.node'): string {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  copyFileSync(binary, file);
  return file;
}

function load(directory: string, claimedAbi = ''): Promise<Report> {
  return report<Report>('load-package', { args: [directory, claimedAbi], env });
}

/** The binary that is in use here. */
function ownBinary(): string {
  const built = path.join(root, 'build/Release/memprof.node');
  const prebuilt = path.join(root, 'prebuilds', prebuiltName());
  return process.env.PREBUILDS_ONLY || !existsSync(built) ? prebuilt : built;
}

function checkUnavailable(t: Test, { failures, status, stopping }: Report, code: string): string {
  t.equal(failures.length, 4);
  for (const failure of failures) t.match(failure, { name: 'MemprofError', code });
  const { message = '' } = failures[0] ?? {};
  t.strictSame(status, { state: 'unavailable', unavailable: message, samplesSeen: 0, threads: [] });
  t.equal(stopping, null, 'stop() has nothing to stop');
  t.match(message, /'npx memprof build'/, 'says what to do');
  t.notMatch(message, /\n/, 'in one line');
  return message;
}

function checkNoBinary(t: Test, report: Report): string {
  const message = checkUnavailable(t, report, 'ERR_MEMPROF_NO_BINARY');
  t.match(message, `${process.platform}-${process.arch}`, 'names the platform');
  t.match(message, new RegExp(`ABI ${abi}\\b`), 'names the ABI');
  t.match(message, process.version, 'names the version');
  return message;
}

function checkWrongAbi(t: Test, report: Report, builtFor: string): void {
  const message = checkUnavailable(t, report, 'ERR_MEMPROF_ABI');
  t.match(message, /another version of Node\.js.*rebuild/s);
  t.match(message, new RegExp(`\\b${builtFor}\\b`), 'says what it was built for');
}

t.test('the binary of this Node.js loads', async (t) => {
  const directory = packageWithout(t);
  put(directory, ownBinary());
  const { failures, status } = await load(directory);
  t.strictSame(failures, [null, null, null, null]);
  t.match(status, { state: 'running', unavailable: null });
});

t.test('in a Node.js of another ABI it does not, and says so', async (t) => {
  const directory = packageWithout(t);
  put(directory, ownBinary());
  checkWrongAbi(t, await load(directory, '999'), abi);
});

/** Prebuilt binaries of other ABIs than ours. */
function foreignBinaries(): { file: string; builtFor: string }[] {
  const folder = path.join(root, 'prebuilds', path.dirname(prebuiltName()));
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return files.flatMap((name) => {
    const builtFor = /^memprof\.abi(\d+)\./.exec(name)?.[1];
    return builtFor === undefined || builtFor === abi ? [] : [{ file: path.join(folder, name), builtFor }];
  });
}

t.test('binaries built for other versions of Node.js do not load here', async (t) => {
  const others = foreignBinaries();
  if (others.length === 0) t.comment(`not tried: there are no prebuilt ones for another ABI than ${abi}`);
  for (const { file, builtFor } of others) {
    t.test(path.basename(file), async (t) => {
      const directory = packageWithout(t);
      put(directory, file);
      checkWrongAbi(t, await load(directory), builtFor);
    });
  }
});

t.test('a binary that does not load is passed over for one that does', async (t) => {
  const directory = packageWithout(t);
  put(directory, ownBinary(), path.join('prebuilds', prebuiltName()));
  writeFileSync(put(directory, ownBinary()), 'left behind');
  t.strictSame((await load(directory)).failures, [null, null, null, null]);
  const [foreign] = foreignBinaries();
  if (foreign === undefined) return t.comment(`no binary of another ABI than ${abi} to be passed over`);
  put(directory, foreign.file);
  t.strictSame((await load(directory)).failures, [null, null, null, null]);
});

t.test('without a binary', async (t) => {
  const directory = packageWithout(t);
  t.match(checkNoBinary(t, await load(directory)), directory, 'says where to build it');
});

t.test('a file that is not a binary', async (t) => {
  const directory = packageWithout(t);
  const file = put(directory, ownBinary());
  writeFileSync(file, 'no library at all');
  t.match(checkNoBinary(t, await load(directory)), file, 'names the file');
});

t.test('a truncated binary causes an error and does not end the process', async (t) => {
  const whole = readFileSync(ownBinary());
  const directory = packageWithout(t);
  const file = put(directory, ownBinary());
  for (const bytes of [0, 16, 63, 64, 1000, 4096, whole.length >> 2, whole.length >> 1, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, bytes));
    t.match(checkNoBinary(t, await load(directory)), file, `${bytes} of ${whole.length} bytes`);
  }
});

const PROGRAM = `
  const { Worker } = require('node:worker_threads');
  const workers = [1, 2, 3].map(() => new Worker('0', { eval: true }));
  Promise.all(workers.map((worker) => new Promise((resolve) => worker.on('exit', resolve)))).then((codes) => {
    console.log('codes', codes.join());
    process.exitCode = 7;
  });
`;

for (const [what, flags] of [
  ['memprof/register', (directory: string) => ['--require', path.join(directory, 'dist/register.js')]],
  ['memprof run', (directory: string) => [path.join(directory, 'dist/cli/main.js'), 'run', '--quiet']],
] as const) {
  t.test(`${what} without a binary warns once and the program runs, its workers too`, async (t) => {
    const directory = packageWithout(t);
    writeFileSync(path.join(directory, 'app.cjs'), PROGRAM);
    const { code, stdout, stderr } = await runCommand(
      'env',
      ['-u', 'NODE_OPTIONS', process.execPath, ...flags(directory), 'app.cjs'],
      { cwd: directory, env },
    );
    t.equal(stdout, 'codes 0,0,0\n');
    t.equal(code, 7);
    t.equal(stderr.match(/memprof is not running/g)?.length, 1, stderr);
    t.match(stderr, 'npx memprof build');
  });
}

// On a disk that fills up while a profile is written, there is no file that looks like one: neither a part of it under its
// name, nor the file beside it in the making.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { after, main } from '../support/cli.js';
import { type Outcome, plainNode, programPath, root, runCommand } from '../support/run.js';

const register = path.join(root, 'dist', 'register.js');
const dropIn = programPath('drop-in');

type Run = (args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<Outcome>;

interface Disk {
  folder: string;
  /** Runs node in it. */
  run: Run;
  /** What the system says when it is full. */
  reason: RegExp;
}

const node = plainNode;

/** Files may have 1 KiB at most: Node.js ignores SIGXFSZ, so writing more is an error. */
function limited(t: Test): Disk {
  const folder = t.testdir({});
  return {
    folder,
    run: (args, env = {}) =>
      runCommand('bash', ['-c', 'ulimit -f 1; exec "$@"', 'bash', ...node, ...args], {
        cwd: folder,
        env: { ...process.env, ...env },
      }),
    reason: /EFBIG|File too large|larger than the limit/,
  };
}

/** A file system of one page more than its filler takes. */
function mounted(): Disk | string {
  const folder = mkdtempSync(path.join(tmpdir(), 'memprof-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    rmdirSync(folder);
    return `a file system can be mounted by root only: ${(error as Error).message.split('\n').at(-2)}`;
  }
  const page = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
  writeFileSync(path.join(folder, 'filler'), Buffer.alloc(64 * 1024 - page, 'x'));
  return {
    folder,
    run: (args, env = {}) =>
      runCommand('env', [...node.slice(1), ...args], { cwd: folder, env: { ...process.env, ...env } }),
    reason: /ENOSPC|No space left on device|no space left/,
  };
}

/** Everything in the folder, with what no listing shows. */
const left = (folder: string) => readdirSync(folder).filter((name) => name !== 'filler');

async function checkDisk(t: Test, { folder, run, reason }: Disk) {
  for (const format of ['txt', 'pb.gz']) {
    const { code, stdout, stderr } = await run(['--require', register, dropIn], {
      MEMPROF: `at-exit=1,sample-interval=64,format=${format}`,
    });
    t.strictSame(
      { code, stdout },
      { code: 0, stdout: 'done\n' },
      `register, ${format}: the program is untouched`,
    );
    t.match(stderr, /^memprof: cannot write the profile: .*\n$/);
    t.match(stderr, reason);
    t.notMatch(stderr, /\.part/, 'named as users know it');
    t.strictSame(left(folder), [], `register, ${format}`);
  }
  const ran = await run([main, 'run', '--sample-interval', '64', '--format', 'txt', dropIn]);
  t.equal(ran.code, 0);
  t.match(ran.stderr, /memprof: cannot write the profile: .*\n(.*\n)*memprof: no profile was written\n$/);
  t.strictSame(left(folder), [], 'memprof run');

  for (const [args, name] of [
    [['convert', after, '-o', 'out.pb.gz'], 'out.pb.gz'],
    [['convert', after, '-o', 'out.txt'], 'out.txt'],
    [['flame', after, '-o', 'out.html'], 'out.html'],
  ] as const) {
    const first = await run([main, ...args]);
    t.equal(first.code, 1, args[0]);
    t.match(first.stderr, reason);
    t.strictSame(left(folder), [], `${args[0]}, ${name}`);
  }

  // Which was whole before.
  writeFileSync(path.join(folder, 'out.txt'), 'before');
  t.equal((await run([main, 'convert', after, '-o', 'out.txt'])).code, 1);
  t.equal(readFileSync(path.join(folder, 'out.txt'), 'utf8'), 'before', 'the file that was there stays');
  t.strictSame(left(folder), ['out.txt']);
}

t.test('files have a limit', (t) => checkDisk(t, limited(t)));

const disk = mounted();
const skip = typeof disk === 'string' ? disk : false;

t.test('a file system is full', { skip }, async (t) => {
  if (typeof disk === 'string') return;
  try {
    await checkDisk(t, disk);
  } finally {
    execFileSync('umount', ['--lazy', disk.folder]);
    rmdirSync(disk.folder);
  }
});

t.test('a heap that is full, on a disk that is', async (t) => {
  const { folder, run, reason } = limited(t);
  const what = JSON.stringify({ start: { sampleInterval: 16384, heapLimitDump: folder } });
  const { signal, stderr } = await run(['--max-old-space-size=32', programPath('heap-limit-dump'), what]);
  t.equal(signal, 'SIGABRT');
  const [line = ''] = /^memprof: .*$/m.exec(stderr) ?? [];
  t.match(line, /^memprof: out of heap, and cannot write .*\.oom\.txt: /);
  t.match(line, reason);
  t.strictSame(left(folder), []);
});

t.test('a disk with room', async (t) => {
  const folder = t.testdir({ there: {} });
  const convert = (out: string) =>
    runCommand('env', [...node.slice(1), main, 'convert', after, '--format', 'txt', '-o', out], {
      cwd: folder,
    });
  const isWritten = async (out: string) => {
    const { code, stderr } = await convert(out);
    t.equal(code, 0, out);
    t.match(stderr, /^memprof: txt does not hold [^\n]*\n$/, 'what a text cannot hold is all it says');
  };
  await isWritten('new.txt');
  const text = readFileSync(path.join(folder, 'new.txt'), 'utf8');
  t.match(text, /^heap profile: /);
  t.equal(statSync(path.join(folder, 'new.txt')).mode & 0o777, 0o666 & ~process.umask());

  writeFileSync(path.join(folder, 'secret.txt'), 'x'.repeat(1e6), { mode: 0o600 });
  await isWritten('secret.txt');
  t.equal(readFileSync(path.join(folder, 'secret.txt'), 'utf8'), text, 'replaced');
  t.equal(statSync(path.join(folder, 'secret.txt')).mode & 0o777, 0o600, 'who may read it stays as it was');

  writeFileSync(path.join(folder, 'there', 'far.txt'), '');
  symlinkSync(path.join('there', 'far.txt'), path.join(folder, 'link.txt'));
  await isWritten('link.txt');
  t.equal(readFileSync(path.join(folder, 'there', 'far.txt'), 'utf8'), text, 'through a link');

  const piped = await runCommand(
    'bash',
    ['-c', '"$@" | cat', 'bash', ...node, main, 'convert', after, '--format', 'txt', '-o', '/dev/stdout'],
    { cwd: folder },
  );
  t.equal(piped.stdout, text, 'to what is no file');
  await isWritten('/dev/null');
  t.ok(existsSync('/dev/null') && !statSync('/dev/null').isFile());

  const { code, stderr } = await convert('nowhere/out.txt');
  t.equal(code, 1);
  t.equal(stderr, 'memprof: cannot write nowhere/out.txt: no such file\n');
  const long = `${'x'.repeat(250)}.txt`;
  await isWritten(long);
  mkdirSync(path.join(folder, 'folder.txt'));
  t.match(await convert('folder.txt'), { code: 1, stderr: /cannot write folder.txt: is a directory/ });
  t.strictSame(
    readdirSync(folder).sort(),
    ['folder.txt', 'link.txt', 'new.txt', 'secret.txt', 'there', long].sort(),
    'nothing else is left',
  );
});

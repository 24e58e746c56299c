import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { makeDirectory } from '#dist/base/make-directory.js';

t.test('a directory and those above it', async (t) => {
  const dir = t.testdir({});
  const deep = path.join(dir, 'a', 'b', 'c');
  makeDirectory(deep, 0o700);
  makeDirectory(deep);
  makeDirectory(`${deep}${path.sep}`);
  t.ok(statSync(deep).isDirectory());
  t.equal(statSync(path.join(dir, 'a')).mode & 0o777, 0o700);
});

t.test('what is in the way is named', async (t) => {
  const dir = t.testdir({ file: '' });
  const link = path.join(dir, 'link');
  symlinkSync('nowhere', link);
  writeFileSync(path.join(dir, 'second'), '');
  t.throws(() => makeDirectory(path.join(dir, 'file')), { code: 'EEXIST' });
  t.throws(() => makeDirectory(path.join(dir, 'second', 'a', 'b')), { code: 'ENOTDIR' });
  t.throws(() => makeDirectory(path.join(link, 'a')), { code: 'EEXIST', path: link });
  t.throws(() => makeDirectory(''), { code: 'ENOENT' });
});

t.test('a symbolic link to a directory is one', async (t) => {
  const dir = t.testdir({ real: {}, link: t.fixture('symlink', 'real') });
  makeDirectory(path.join(dir, 'link', 'a'));
  t.ok(statSync(path.join(dir, 'real', 'a')).isDirectory());
});

// Node's own mkdirSync never returns there.
const skip = process.platform !== 'linux' && 'there is a /proc on Linux only';
t.test('a file system in which nothing can be made', { skip }, async (t) => {
  t.throws(() => makeDirectory('/proc/memprof/a/b'), { code: 'ENOENT', path: '/proc/memprof' });
});

// What is in the package is what is meant, and nothing else.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { root } from '../support/run.js';
import { type Manifest, tarball } from './support.js';

const MAX_BYTES = 2 * 1024 * 1024;
// Node.js 20, 22, 24, 26.
const ABIS = [115, 127, 137, 147];

function filesIn(folder: string, extensions: readonly string[]): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => extensions.some((extension) => name.endsWith(extension)))
    .map((name) => path.join(folder, name));
}

/** One that comes of each source. */
function compiled(): string[] {
  const modules = filesIn('lib', ['.ts']).filter(
    (name) => !name.endsWith('.d.ts') && !name.includes('/browser/'),
  );
  return modules.flatMap((name) => {
    const base = path.join('dist', path.relative('lib', name)).slice(0, -'.ts'.length);
    return [`${base}.js`, `${base}.js.map`, `${base}.d.ts`];
  });
}

function sourcesOfTheAddon(): string[] {
  const headers = ['LICENSE.md', 'napi-inl.deprecated.h', 'napi-inl.h', 'napi.h', 'package.json'];
  return [
    'native/exports.map',
    'vendor/binding.gyp',
    ...filesIn('native', ['.cc', '.h']),
    ...headers.map((name) => `vendor/node-addon-api/${name}`),
  ];
}

/** For each system (`linux-x64/….glibc`) that there is any for: one per ABI. */
function binaries(): string[] {
  const there = filesIn('prebuilds', ['.node']).map((name) => name.replace(/\babi\d+/, 'abi*'));
  const systems = new Set([
    path.join('prebuilds', `${process.platform}-${process.arch}/memprof.abi*.glibc.node`),
    ...there,
  ]);
  return [...systems].flatMap((system) => ABIS.map((abi) => system.replace('*', `${abi}`)));
}

const packed = execFileSync('tar', ['-tzf', tarball()], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((name) => name.replace(/^package\//, ''))
  .sort();

t.test('the package has exactly these files', (t) => {
  const page = ['page.css', 'page.js'].map((name) => `dist/flame/browser/${name}`);
  const top = ['CHANGELOG.md', 'LICENSE', 'NOTICE', 'README.md', 'package.json'];
  const pictures = [
    ...readFileSync(path.join(root, 'README.md'), 'utf8').matchAll(/!\[[^\]]*\]\(([^)]+)\)/g),
  ].map(([, name]) => name!);
  const meant = [...top, ...pictures, ...page, ...compiled(), ...sourcesOfTheAddon(), ...binaries()].sort();
  t.strictSame(packed, meant);
  t.end();
});

t.test('every source that binding.gyp names is there', (t) => {
  const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
  const named = read('binding.gyp').match(/native\/\w+\/\w+\.cc/g) ?? [];
  // Those of native/unity include others.
  const included = named.flatMap((name) => read(name).match(/(?<=#include ")\w+\/\w+\.cc(?=")/g) ?? []);
  t.ok(included.length > 50, `${included.length} are included`);
  const needed = [...named, ...included.map((name) => `native/${name}`)];
  t.strictSame(
    needed.filter((name) => !packed.includes(name)),
    [],
  );
  t.end();
});

t.test('it is small', (t) => {
  const { size } = statSync(tarball());
  t.comment(`${size} bytes`);
  t.ok(size <= MAX_BYTES, `${size} bytes, at most ${MAX_BYTES}`);
  t.end();
});

t.test('installing it runs nothing and needs nothing else', (t) => {
  const text = execFileSync('tar', ['-xzOf', tarball(), 'package/package.json'], { encoding: 'utf8' });
  const { gypfile, scripts = {}, dependencies } = JSON.parse(text) as Manifest;
  t.equal(gypfile, false, 'or npm would put an install script into what it publishes');
  t.notOk(packed.includes('binding.gyp'), 'or pnpm would warn of build scripts');
  t.strictSame(
    Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name)),
    [],
  );
  t.strictSame(Object.keys(dependencies ?? {}), []);
  t.end();
});

t.test('JavaScript and C++ name no path of this machine', (t) => {
  const text = execFileSync('tar', ['-xzOf', tarball(), '--exclude=*.node'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  t.notOk(text.includes(root), root);
  const inBinaries = binaries().filter((name) => readFileSync(path.join(root, name)).includes(root));
  t.strictSame(inBinaries, [], 'nor do the binaries');
  t.end();
});

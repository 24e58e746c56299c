import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import loadAddon from 'node-gyp-build';
import t, { type Test } from 'tap';
import { report, root } from './support/run.js';

type Failure = { name: string; code: string; message: string; cause?: string } | null;

const env = { ...process.env };
delete env.PREBUILDS_ONLY;
const abi = process.versions.modules;

/** The package in a directory of its own, with that binary and no other. */
function packageWith(t: Test, binary?: string): string {
  const directory = t.testdir();
  for (const part of ['package.json', 'dist', 'node_modules/node-gyp-build']) {
    cpSync(path.join(root, part), path.join(directory, part), { recursive: true });
  }
  const release = path.join(directory, 'build/Release');
  mkdirSync(release, { recursive: true });
  if (binary !== undefined) copyFileSync(binary, path.join(release, 'memprof.node'));
  return directory;
}

/** How three calls of the API fail, one after another. */
function load(directory: string, claimedAbi = ''): Promise<Failure[]> {
  return report<Failure[]>('load-package', { args: [directory, claimedAbi], env });
}

/** The binary that is in use here. */
function ownBinary(): string {
  return (loadAddon as unknown as { resolve(root: string): string }).resolve(root);
}

function checkAbiFailures(t: Test, failures: Failure[], builtFor: string): void {
  t.equal(failures.length, 3);
  for (const failure of failures) {
    t.match(failure, {
      name: 'Error',
      code: 'ERR_MEMPROF_ABI',
      message: /another version of Node\.js.*rebuild/s,
    });
    t.match(failure?.message, new RegExp(`\\b${builtFor}\\b`), 'says what it was built for');
  }
}

t.test('the binary of this Node.js loads', async (t) => {
  t.strictSame(await load(packageWith(t, ownBinary())), [null, null, null]);
});

t.test('in a Node.js of another ABI it does not, and says so', async (t) => {
  checkAbiFailures(t, await load(packageWith(t, ownBinary()), '999'), abi);
});

t.test('binaries built for other versions of Node.js do not load here', async (t) => {
  const prebuilds = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  const files = existsSync(prebuilds) ? readdirSync(prebuilds) : [];
  const others = files.flatMap((file) => {
    const builtFor = /^memprof\.abi(\d+)\./.exec(file)?.[1];
    return builtFor === undefined || builtFor === abi ? [] : [{ file, builtFor }];
  });
  if (others.length === 0) t.comment(`not tried: ${prebuilds} has none for another ABI than ${abi}`);
  for (const { file, builtFor } of others) {
    t.test(file, async (t) => {
      checkAbiFailures(t, await load(packageWith(t, path.join(prebuilds, file))), builtFor);
    });
  }
});

function checkNoBinary(t: Test, failures: Failure[], directory: string): void {
  t.equal(failures.length, 3);
  for (const failure of failures) {
    t.match(failure, { name: 'Error', code: 'ERR_MEMPROF_NO_BINARY' });
    const { message = '', cause } = failure ?? {};
    t.match(message, `${process.platform}-${process.arch}`, 'names the platform');
    t.match(message, new RegExp(`ABI ${abi}\\b`), 'names the ABI');
    t.match(message, process.version, 'names the version');
    t.match(message, /npm run build|npm rebuild|npm install/, 'says what to do');
    t.match(message, directory, 'and where');
    t.type(cause, 'string', 'has a cause');
  }
}

t.test('without a binary', async (t) => {
  const directory = packageWith(t);
  checkNoBinary(t, await load(directory), directory);
});

t.test('with a binary that is none', async (t) => {
  const directory = packageWith(t);
  writeFileSync(path.join(directory, 'build/Release/memprof.node'), 'cut off in the middle of a download');
  checkNoBinary(t, await load(directory), directory);
});

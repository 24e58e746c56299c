// Finds and loads the binary of the addon that was made for this Node.js.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type MemprofError, memprofError } from '../base/errors.js';
import { interpreterOf, isCutOff } from './elf.js';

const platform = `${process.platform}-${process.arch}`;

/** Both have binaries of their own. */
function libc(): 'glibc' | 'musl' {
  try {
    return interpreterOf(process.execPath).includes('ld-musl') ? 'musl' : 'glibc';
  } catch {
    return 'glibc'; // The permission model may forbid to look.
  }
}

/** `linux-x64 (glibc), Node.js v24.11.0 (ABI 137)`: what a binary has to be made for. */
export function describeTarget(): string {
  const system = process.platform === 'linux' ? `${platform} (${libc()})` : platform;
  return `${system}, Node.js ${process.version} (ABI ${process.versions.modules})`;
}

/** As prebuildify names it, in `prebuilds`: `linux-x64/memprof.abi137.glibc.node`. */
export function prebuiltName(): string {
  const tags = [
    'memprof',
    `abi${process.versions.modules}`,
    ...(process.platform === 'linux' ? [libc()] : []),
  ];
  return path.join(platform, `${tags.join('.')}.node`);
}

// In this package, and beside the program where memprof was bundled. Written so that what traces files for a deployment
// (@vercel/nft) sees that the first of them is needed.
const PACKAGED = path.join(__dirname, '..', '..', 'prebuilds');
const BESIDE_BUNDLE = path.join(__dirname, 'prebuilds');

/**
 * In order of preference: what was compiled here, for a clone or by `memprof build`, then the prebuilt ones. As with
 * node-gyp-build, `PREBUILDS_ONLY` in the environment leaves the compiled one out: tests use it.
 */
function candidates(): string[] {
  const compiled = path.join(__dirname, '..', '..', 'build', 'Release', 'memprof.node');
  const prebuilt = [PACKAGED, BESIDE_BUNDLE].map((folder) => path.join(folder, prebuiltName()));
  const files = process.env.PREBUILDS_ONLY ? prebuilt : [compiled, ...prebuilt];
  return files.filter((file) => existsSync(file));
}

function load(file: string): unknown {
  if (isCutOff(file)) throw new Error('the file is not complete');
  return createRequire(__filename)(file);
}

/**
 * The addon's exports. A binary that does not load, a stale one of another Node.js for example, is passed over where there
 * is another.
 *
 * Throws `ERR_MEMPROF_NO_BINARY` when there is none that loads, `ERR_MEMPROF_ABI` when it is another Node's.
 */
export function loadBinary(): unknown {
  const failures: { file: string; error: Error & { code?: unknown } }[] = [];
  for (const file of candidates()) {
    try {
      return load(file);
    } catch (error) {
      failures.push({ file, error: error as Error });
    }
  }
  throw explain(failures);
}

function explain(failures: readonly { file: string; error: Error & { code?: unknown } }[]): MemprofError {
  for (const { error } of failures) {
    if (typeof error.code === 'string' && error.code.startsWith('ERR_MEMPROF_')) return error as MemprofError;
    if (error.code === 'ERR_DLOPEN_DISABLED') {
      return memprofError(
        'ERR_MEMPROF_NO_BINARY',
        'this process may not load native addons: start Node.js with --allow-addons (or without --no-addons)',
        error,
      );
    }
  }
  const [failure] = failures;
  if (failure !== undefined) {
    const reason = failure.error.message.split('\n')[0];
    return memprofError(
      'ERR_MEMPROF_NO_BINARY',
      `memprof's binary ${failure.file} cannot be loaded on ${describeTarget()} (${reason}): ` +
        `install memprof again, or build it with 'npx memprof build'`,
      failure.error,
    );
  }
  const root = path.join(__dirname, '..', '..');
  const cure = existsSync(path.join(root, 'native/exports.map'))
    ? `build it with 'npx memprof build' (in ${root})`
    : `where memprof was bundled into ${__dirname}, leave it external or copy its prebuilds/ there`;
  return memprofError('ERR_MEMPROF_NO_BINARY', `memprof has no binary for ${describeTarget()}: ${cure}`);
}

// Finds and loads the addon's binary for this version of Node.js.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type ErrorCode, type MemprofError, memprofError } from '../base/errors.js';
import { interpreterOf, isCutOff } from './elf.js';

const platform = `${process.platform}-${process.arch}`;

/** There are separate binaries for both C libraries. */
function libc(): 'glibc' | 'musl' {
  try {
    return interpreterOf(process.execPath).includes('ld-musl') ? 'musl' : 'glibc';
  } catch {
    return 'glibc'; // The permission model may forbid reading the file.
  }
}

/** What a binary must be built for: `linux-x64 (glibc), Node.js v24.11.0 (ABI 137)`. */
export function describeTarget(): string {
  const system = process.platform === 'linux' ? `${platform} (${libc()})` : platform;
  return `${system}, Node.js ${process.version} (ABI ${process.versions.modules})`;
}

/** The path in `prebuilds`, as prebuildify names it: `linux-x64/memprof.abi137.glibc.node`. */
export function prebuiltName(): string {
  const tags = [
    'memprof',
    `abi${process.versions.modules}`,
    ...(process.platform === 'linux' ? [libc()] : []),
  ];
  return join(platform, `${tags.join('.')}.node`);
}

// Binaries are in this package, or beside the bundle if memprof was bundled. The first path is written so that tools that
// trace a deployment's files recognise it: @vercel/nft, and Turbopack, to which the default import of `node:path` means nothing.
const PACKAGED = join(__dirname, '..', '..', 'prebuilds');
const BESIDE_BUNDLE = join(__dirname, 'prebuilds');

/**
 * Binaries in order of preference: first one that was compiled in a clone, then the prebuilt ones (`memprof build` adds to
 * these). As with node-gyp-build, the variable `PREBUILDS_ONLY` leaves out the former; tests use it.
 */
function candidates(): string[] {
  const compiled = join(__dirname, '..', '..', 'build', 'Release', 'memprof.node');
  const prebuilt = [PACKAGED, BESIDE_BUNDLE].map((folder) => join(folder, prebuiltName()));
  const files = process.env.PREBUILDS_ONLY ? prebuilt : [compiled, ...prebuilt];
  return files.filter((file) => existsSync(file));
}

function load(file: string): unknown {
  if (isCutOff(file)) throw new Error('the file is incomplete');
  return createRequire(__filename)(file);
}

/**
 * Loads the addon and returns its exports. If a binary does not load, for example a stale one for another Node.js, tries
 * the next.
 *
 * Throws `ERR_MEMPROF_NO_BINARY` if no binary loads, and `ERR_MEMPROF_ABI` if it was built for another version of Node.js.
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
    // The addon of another Node.js refuses by itself.
    if (typeof error.code === 'string' && error.code.startsWith('ERR_MEMPROF_')) {
      return memprofError(error.code as ErrorCode, error.message, error.cause);
    }
    if (error.code === 'ERR_DLOPEN_DISABLED') {
      return memprofError(
        'ERR_MEMPROF_NO_BINARY',
        'Node.js does not let this process load native addons: start it with --allow-addons (or without --no-addons)',
        error,
      );
    }
  }
  const [failure] = failures;
  if (failure !== undefined) {
    const reason = failure.error.message.split('\n')[0];
    return memprofError(
      'ERR_MEMPROF_NO_BINARY',
      `cannot load memprof's binary ${failure.file} on ${describeTarget()} (${reason}): ` +
        `install memprof again, or build it with 'npx memprof build'`,
      failure.error,
    );
  }
  const root = join(__dirname, '..', '..');
  const cure = existsSync(join(root, 'native/exports.map'))
    ? `build it with 'npx memprof build' (in ${root})`
    : `if memprof was bundled into ${__dirname}, make it external or copy its prebuilds/ there`;
  return memprofError('ERR_MEMPROF_NO_BINARY', `memprof has no binary for ${describeTarget()}: ${cure}`);
}

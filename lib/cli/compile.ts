// Compiles the addon from the sources that the package carries.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { envForChild } from '../base/child-flags.js';
import { printable } from '../base/text.js';
import { Failure } from './profile-file.js';

/** node-gyp as npm brings it, or the program's own. */
function findNodeGyp(): string {
  const script = 'node-gyp/bin/node-gyp.js';
  const bin = path.dirname(process.execPath);
  const ofNpm = path.join('node_modules/npm/node_modules', script);
  const found = [
    process.env.npm_config_node_gyp, // Set by npx, and by `npm run`.
    path.join(bin, '..', 'lib', ofNpm),
    path.join(bin, ofNpm),
  ].find((file) => file !== undefined && existsSync(file));
  if (found !== undefined) return found;
  try {
    return createRequire(path.join(process.cwd(), 'x')).resolve(script);
  } catch {
    throw new Failure(
      "node-gyp is missing: use 'npx memprof build', or install node-gyp in the current directory",
    );
  }
}

/** Node-API's C++ wrapper: copied into the package when it is packed, a development dependency before. */
function findNodeAddonApi(root: string): string {
  const packed = path.join(root, 'vendor/node-addon-api');
  if (existsSync(packed)) return packed;
  try {
    return path.dirname(createRequire(path.join(root, 'x')).resolve('node-addon-api/package.json'));
  } catch {
    throw new Failure(`the sources in ${root} are not complete: install memprof again`);
  }
}

/** Not beside the package.json of a package: package managers would take it for a build script. */
function findBindingGyp(root: string): string {
  const packed = path.join(root, 'vendor/binding.gyp');
  return existsSync(packed) ? packed : path.join(root, 'binding.gyp');
}

function abiOfHeaders(directory: string): string | undefined {
  try {
    const header = readFileSync(path.join(directory, 'include/node/node_version.h'), 'utf8');
    return /#define NODE_MODULE_VERSION (\d+)/.exec(header)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * The environment for node-gyp, which takes settings from it over its own command line. A `nodedir` in somebody's npmrc may be
 * another version's: what is built with its headers loads, and crashes.
 */
function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  const given = Object.keys(env).filter((name) => /^npm_(package_)?config_(node_gyp_)?nodedir$/i.test(name));
  const prefix = path.join(path.dirname(process.execPath), '..');
  // On Windows a library is needed as well.
  const directories = [...given.map((name) => env[name]), process.platform === 'win32' ? undefined : prefix];
  const nodedir = directories.find(
    (directory) => directory !== undefined && abiOfHeaders(directory) === process.versions.modules,
  );
  for (const name of Object.keys(env)) {
    // Of another run-time than this one, Electron's for example.
    if (given.includes(name) || /^npm_config_(target|arch|target_arch|runtime|debug)$/i.test(name)) {
      delete env[name];
    }
  }
  if (nodedir !== undefined) env.npm_config_nodedir = nodedir;
  return { JOBS: 'max', ...env };
}

interface Outcome {
  ok: boolean;
  output: string;
}

function runNode(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  show: boolean,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: envForChild(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (show) process.stderr.write(text);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

const SHOWN_LINES = 30;

/**
 * Compiles the package in `root` for the running Node.js, and puts the binary to `file` once it is known to load.
 * Throws a `Failure` that says what is missing.
 */
export async function compile(root: string, file: string, verbose: boolean): Promise<void> {
  const nodeGyp = findNodeGyp();
  const nodeAddonApi = findNodeAddonApi(root);
  // Elsewhere: nothing half-built is left in the package, and its path may be one that make cannot cope with.
  const stage = mkdtempSync(path.join(tmpdir(), 'memprof-build-'));
  try {
    for (const part of ['package.json', 'native']) {
      cpSync(path.join(root, part), path.join(stage, part), { recursive: true });
    }
    cpSync(findBindingGyp(root), path.join(stage, 'binding.gyp'));
    cpSync(nodeAddonApi, path.join(stage, 'vendor/node-addon-api'), { recursive: true });
    const env = environment();
    const built = await runNode([nodeGyp, 'rebuild', '--release'], stage, env, verbose);
    if (!built.ok) {
      if (!verbose) showEnd(built.output);
      throw new Failure(
        'the build failed: are python3, make and a C++20 compiler (g++ 11, clang 14) installed?',
      );
    }
    const binary = path.join(stage, 'build/Release/memprof.node');
    const loading = await runNode(['-p', 'require(process.argv[1]); 0', binary], stage, process.env, verbose);
    if (!loading.ok) {
      if (!verbose) showEnd(loading.output);
      throw new Failure('what was built does not load');
    }
    install(binary, file);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function showEnd(output: string): void {
  for (const line of output.trimEnd().split('\n').slice(-SHOWN_LINES)) {
    process.stderr.write(`${printable(line)}\n`);
  }
}

/** By renaming: a program that runs goes on with the file it has mapped. */
function install(binary: string, file: string): void {
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    cpSync(binary, fresh);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new Failure(
      `the binary cannot be put into memprof's directory: ${printable((error as Error).message)}`,
    );
  }
}

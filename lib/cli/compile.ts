// Compiles the addon from the sources in the package.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { envForChild } from '../base/child-flags.js';
import { printable } from '../base/text.js';
import { Failure } from './profile-file.js';

/** Finds the node-gyp that npm comes with, or one that is installed in the current directory. */
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
      "node-gyp is missing: run 'npx memprof build', or install node-gyp in the current directory",
    );
  }
}

/** Finds Node-API's C++ wrapper. The packed package contains a copy; in a clone it is a development dependency. */
function findNodeAddonApi(root: string): string {
  const packed = path.join(root, 'vendor/node-addon-api');
  if (existsSync(packed)) return packed;
  try {
    return path.dirname(createRequire(path.join(root, 'x')).resolve('node-addon-api/package.json'));
  } catch {
    throw new Failure(`the sources in ${root} are incomplete: install memprof again`);
  }
}

/** The package has this file in `vendor`: package managers take a binding.gyp beside package.json for a build script. */
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
 * The environment for node-gyp, which prefers settings from it to its command line. A `nodedir` from the user's npmrc may
 * belong to another version of Node.js; a binary built with its headers loads, and then crashes.
 */
function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  const given = Object.keys(env).filter((name) => /^npm_(package_)?config_(node_gyp_)?nodedir$/i.test(name));
  const prefix = path.join(path.dirname(process.execPath), '..');
  // On Windows the linker also needs a library, which the installation lacks.
  const directories = [...given.map((name) => env[name]), process.platform === 'win32' ? undefined : prefix];
  const nodedir = directories.find(
    (directory) => directory !== undefined && abiOfHeaders(directory) === process.versions.modules,
  );
  for (const name of Object.keys(env)) {
    // These may describe another runtime, such as Electron.
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

/** How many lines of a failed build's output to show. */
const SHOWN_LINES = 30;

/**
 * Compiles the package in `root` for the running Node.js, checks that the binary loads, and only then writes it to `file`.
 * Throws a `Failure` that says what is missing.
 */
export async function compile(root: string, file: string, verbose: boolean): Promise<void> {
  const nodeGyp = findNodeGyp();
  const nodeAddonApi = findNodeAddonApi(root);
  // Build in a temporary directory: a failed build leaves nothing in the package, whose path, besides, make may not support.
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
        'the build failed: check that python3, make and a C++20 compiler (g++ 11, clang 14) are installed',
      );
    }
    const binary = path.join(stage, 'build/Release/memprof.node');
    const loading = await runNode(['-p', 'require(process.argv[1]); 0', binary], stage, process.env, verbose);
    if (!loading.ok) {
      if (!verbose) showEnd(loading.output);
      throw new Failure('the compiled binary does not load');
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

/** Replaces the file by renaming: running programs keep the old file that they have mapped. */
function install(binary: string, file: string): void {
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    cpSync(binary, fresh);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new Failure(
      `cannot write the binary into memprof's directory: ${printable((error as Error).message)}`,
    );
  }
}

// For tests of the packed package: `.ci/release-check.sh` packs it and names the file in MEMPROF_TEST_TARBALL.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Test } from 'tap';
import { type Outcome, root, runCommand } from '../support/run.js';

export const tools = path.join(root, 'test/release/node_modules');

export function tarball(): string {
  const file = process.env.MEMPROF_TEST_TARBALL;
  if (file === undefined)
    throw new Error("no MEMPROF_TEST_TARBALL: run these tests with 'npm run release:check'");
  return file;
}

export interface Manifest {
  version: string;
  exports: Record<string, string | { types: string; default: string }>;
  dependencies?: Record<string, string>;
  scripts?: Record<string, string>;
  gypfile?: boolean;
}

export const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;

/** `memprof`, `memprof/http` …: the entries that are modules. */
export const entries = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([name]) => path.posix.join('memprof', name));

/** Outside the repository: nothing of it is to be found from there. Removed when the test ends. */
export function emptyDirectory(t: Pick<Test, 'teardown'>): string {
  const directory = mkdtempSync(path.join(realpathSync(tmpdir()), 'memprof-release-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** npm's own script, to be run by whatever Node.js. */
function npmScript(): string {
  const bin = path.dirname(process.execPath);
  const found = [process.env.npm_execpath, path.join(bin, '../lib/node_modules/npm/bin/npm-cli.js')].find(
    (file) => file !== undefined && existsSync(file),
  );
  if (found === undefined) throw new Error('npm is not beside this node');
  return found;
}

/** The environment of somebody who has `node` and nothing else: no compiler, no python, no shell. */
export function bareEnv(directory: string, node: string): NodeJS.ProcessEnv {
  const bin = path.join(directory, 'bin');
  mkdirSync(bin);
  symlinkSync(node, path.join(bin, 'node'));
  const kept = ['HOME', 'https_proxy', 'HTTPS_PROXY', 'NODE_EXTRA_CA_CERTS'].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  return { ...Object.fromEntries(kept), PATH: bin };
}

/** Runs to its end. tap puts its hooks into every Node.js that is started: `env` takes them out again. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Outcome> {
  return runCommand('/usr/bin/env', ['-u', 'NODE_OPTIONS', command, ...args], options);
}

/** Throws unless it ends well. */
export async function must(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Outcome> {
  const outcome = await run(command, args, options);
  if (outcome.code !== 0) {
    throw new Error(`${command} ${args.join(' ')}: ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
  }
  return outcome;
}

/** Installs the packed package in an empty directory, as users do. Returns what npm says. */
export async function install(
  directory: string,
  node = process.execPath,
  env: NodeJS.ProcessEnv = plainEnv(),
): Promise<string> {
  writeFileSync(path.join(directory, 'package.json'), '{ "private": true }\n');
  const args = [npmScript(), 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball()];
  const { stdout, stderr } = await must(node, args, { cwd: directory, env });
  return stdout + stderr;
}

/** Ours without what npm and tap put into it. */
export function plainEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_|^NODE_OPTIONS$|^TAP|^_TAPJS|^PREBUILDS_ONLY$/i.test(name),
    ),
  );
}

export function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), text);
  }
}

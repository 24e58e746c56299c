// build-native.mjs: compiles the addon into ./build with the headers beside the running Node.js; if there are none, node-gyp
// downloads them. The build is incremental, unless the last one was for another Node.js.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function versionOfHeaders(directory) {
  try {
    const header = readFileSync(path.join(directory, 'include/node/node_version.h'), 'utf8');
    const number = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(header)?.[1];
    return `v${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}`;
  } catch {
    return undefined;
  }
}

// If an npmrc has a `nodedir`, npm passes it to node-gyp, which prefers it to its command line. A binary that is built with
// the headers of another version loads, and then crashes.
const env = { JOBS: 'max', MAKEFLAGS: '--silent', ...process.env };
const given = Object.keys(env).filter((name) => /^npm_(package_)?config_(node_gyp_)?nodedir$/i.test(name));
const candidates = [...given.map((name) => env[name]), path.join(path.dirname(process.execPath), '..')];
for (const name of given) delete env[name];
// On Windows the linker needs a library besides the headers.
const headers =
  process.platform === 'win32'
    ? undefined
    : candidates.find((each) => versionOfHeaders(each) === process.version);
if (headers !== undefined) env.npm_config_nodedir = path.resolve(headers);

const stamp = path.join(root, 'build', 'built-for');
const target = `${process.version} ${process.platform} ${process.arch} ${headers ?? 'downloaded headers'}\n`;
const upToDate = existsSync(stamp) && readFileSync(stamp, 'utf8') === target;

const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
if (!upToDate) rmSync(path.join(root, 'build', 'Release'), { recursive: true, force: true });
const { status, error } = spawnSync(process.execPath, [nodeGyp, 'configure', 'build', '--silent'], {
  cwd: root,
  env,
  stdio: 'inherit',
});
if (error !== undefined) throw error;
if (status === 0) {
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, target);
}
process.exitCode = status ?? 1;

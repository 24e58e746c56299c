// `npm run build:native` takes the headers beside the running Node.js, and no others.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { root, runNodeSync } from '../support/run.js';

const prefix = path.join(path.dirname(process.execPath), '..');
const beside = existsSync(path.join(prefix, 'include/node/node_version.h'));

/** A clone whose node-gyp only says what it was asked for. */
function clone(t: Test): string {
  const nodeGyp = `console.log(JSON.stringify({ nodedir: process.env.npm_config_nodedir, args: process.argv.slice(2) }));`;
  const folder = t.testdir({
    '.ci': {},
    build: { Release: { 'memprof.node': 'of another Node.js' }, test: { kept: '' } },
    node_modules: { 'node-gyp': { 'package.json': '{}', bin: { 'node-gyp.js': nodeGyp } } },
  });
  cpSync(path.join(root, '.ci/build-native.mjs'), path.join(folder, '.ci/build-native.mjs'));
  return folder;
}

function build(folder: string, more: NodeJS.ProcessEnv = {}): { nodedir?: string; args: string[] } {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/nodedir/i.test(name)));
  const script = path.join(folder, '.ci/build-native.mjs');
  const { code, stdout, stderr } = runNodeSync(script, { flags: [], env: { ...env, ...more } });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function headers(t: Test, version: string): string {
  const [major, minor, patch] = version.slice(1).split('.');
  const folder = path.join(t.testdirName, `headers-${version}`);
  mkdirSync(path.join(folder, 'include/node'), { recursive: true });
  const lines = [`MAJOR_VERSION ${major}`, `MINOR_VERSION ${minor}`, `PATCH_VERSION ${patch}`];
  const text = lines.map((line) => `#define NODE_${line}\n`).join('');
  writeFileSync(path.join(folder, 'include/node/node_version.h'), text);
  return folder;
}

t.test('headers beside the running node are found before any are downloaded', async (t) => {
  const { nodedir, args } = build(clone(t));
  t.equal(nodedir, beside ? path.resolve(prefix) : undefined);
  t.same(args.slice(0, 2), ['configure', 'build']);
});

t.test("hazard: a nodedir of somebody's npmrc has the headers of another version", async (t) => {
  const folder = clone(t);
  for (const name of ['npm_config_nodedir', 'npm_package_config_node_gyp_nodedir']) {
    const { nodedir } = build(folder, { [name]: headers(t, 'v1.2.3') });
    t.equal(nodedir, beside ? path.resolve(prefix) : undefined, name);
  }
  const right = headers(t, process.version);
  t.equal(build(folder, { npm_config_nodedir: right }).nodedir, right, 'those of this version are taken');
});

t.test('hazard: what was built for another Node.js is not taken for up to date', async (t) => {
  const folder = clone(t);
  const binary = path.join(folder, 'build/Release/memprof.node');
  build(folder);
  t.notOk(existsSync(binary), 'nobody knows what it was built for');
  t.ok(existsSync(path.join(folder, 'build/test/kept')), 'compiled tests stay');
  mkdirSync(path.dirname(binary));
  writeFileSync(binary, 'of this one');
  build(folder);
  t.equal(readFileSync(binary, 'utf8'), 'of this one', 'what is up to date stays');
  writeFileSync(path.join(folder, 'build/built-for'), 'v1.2.3 linux x64 /usr\n');
  build(folder);
  t.notOk(existsSync(binary));
});

// The package as `require`, `import` and TypeScript see it. Entries are those of the exports map.
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { root } from '../support/run.js';
import {
  emptyDirectory,
  entries,
  install,
  manifest,
  must,
  plainEnv,
  run,
  tarball,
  tools,
  write,
} from './support.js';

const directory = emptyDirectory(t);
const env = plainEnv();

/** A name for each entry. */
const names = entries.map((_, at) => `entry${at}`);

t.before(async () => {
  await install(directory);
  // What a consumer has beside it: the standard types, and memprof's optional peer with what that needs.
  for (const name of ['@types', 'undici-types', 'prom-client', '@opentelemetry', 'tdigest', 'bintrees']) {
    symlinkSync(path.join(root, 'node_modules', name), path.join(directory, 'node_modules', name));
  }
});

t.test('require and import give the same singleton, and the same names', async (t) => {
  write(directory, {
    'same.mjs': `
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      const report = {};
      for (const entry of ${JSON.stringify(entries)}) {
        const imported = await import(entry);
        const required = require(entry);
        const names = Object.keys(required).sort();
        report[entry] = {
          default: imported.default === required,
          names,
          different: names.filter((name) => imported[name] !== required[name]),
        };
      }
      // One state behind both: memprof/register has started the profiler.
      const { stop, status } = await import('memprof');
      const states = [require('memprof').status().state];
      stop();
      states.push(require('memprof').status().state, status().state);
      console.log(JSON.stringify({ report, states }));`,
  });
  const { stdout } = await must(process.execPath, ['same.mjs'], {
    cwd: directory,
    env: { ...env, MEMPROF_SIGNAL: 'none' },
  });
  const { report, states } = JSON.parse(stdout) as {
    report: Record<string, { default: boolean; names: string[]; different: string[] }>;
    states: string[];
  };
  t.strictSame(Object.keys(report), entries);
  for (const [entry, found] of Object.entries(report)) {
    t.ok(found.default, `${entry}: the default import is what require gives`);
    t.strictSame(found.different, [], entry);
    if (entry !== 'memprof/register') t.ok(found.names.length > 0, `${entry} exports something`);
  }
  t.strictSame(states, ['running', 'stopped', 'stopped']);
});

const SETTINGS = [
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
  // What `module: commonjs` means by default.
  { module: 'commonjs', moduleResolution: 'node10' },
] as const;

/** Uses of the types, and a mistake that must be one. */
const CONSUMER = `
${entries.map((entry, at) => `import * as ${names[at]} from '${entry}';`).join('\n')}
import { start, status, type MemProfileRecord, type Status, MemProfile } from 'memprof';
import { serve } from 'memprof/http';
start({ sampleInterval: 1024 });
const state: Status['state'] = status().state;
const records: MemProfileRecord[] = [];
const { n, ok }: { n: number; ok: boolean } = MemProfile(records, true);
// @ts-expect-error a number is asked for
start({ sampleInterval: 'often' });
// @ts-expect-error a promise of a server
serve({ port: 0 }).url;
export const used: unknown[] = [state, n, ok, ${names.join(', ')}];
`;

for (const settings of SETTINGS) {
  t.test(`a TypeScript consumer compiles: ${settings.moduleResolution}`, async (t) => {
    const folder = `types-${settings.moduleResolution}`;
    const files = settings.moduleResolution === 'node10' ? ['a.ts'] : ['a.mts', 'b.cts'];
    const compilerOptions = {
      ...settings,
      target: 'es2022',
      lib: ['es2022'],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
    };
    write(path.join(directory, folder), {
      'tsconfig.json': JSON.stringify({ compilerOptions, files }),
      ...Object.fromEntries(files.map((file) => [file, CONSUMER])),
    });
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const { code, stdout } = await run(process.execPath, [tsc, '-p', folder], { cwd: directory, env });
    t.equal(stdout, '');
    t.equal(code, 0);
  });
}

t.test('publint and arethetypeswrong find nothing', async (t) => {
  const publint = await run(
    process.execPath,
    [path.join(tools, 'publint/src/cli.js'), 'run', tarball(), '--strict', '--pack', 'false'],
    { cwd: directory, env },
  );
  t.equal(publint.code, 0, publint.stdout + publint.stderr);
  const attw = await run(
    process.execPath,
    [path.join(tools, '@arethetypeswrong/cli/dist/index.js'), '--format', 'ascii', tarball()],
    { cwd: directory, env },
  );
  t.equal(attw.code, 0, attw.stdout + attw.stderr);
});

t.test('each binary has a literal path', async (t) => {
  t.equal(manifest.exports['./prebuilds/*.node'], './prebuilds/*.node');
  const { stdout } = await must(
    process.execPath,
    [
      '-p',
      `const abi = process.versions.modules;
       require.resolve(\`memprof/prebuilds/\${process.platform}-\${process.arch}/memprof.abi\${abi}.glibc.node\`)`,
    ],
    { cwd: directory, env },
  );
  t.ok(readFileSync(stdout.trim()).length > 50_000);
});

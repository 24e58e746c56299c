'use strict';
// Profiles a real program on real input: the TypeScript compiler type-checking memprof's own sources. Prints where it
// allocates and what it still holds, and leaves the profile on disk.
const fs = require('node:fs');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');
const memprof = require('..');
const { collectSites, formatBytes, printSites } = require('./support/sites.cjs');

const root = path.join(__dirname, '..');
const outFile = path.join(root, 'profiles', 'compiler.heap.txt');

function typeCheck(ts) {
  const configFile = path.join(root, 'tsconfig.json');
  const config = ts.getParsedCommandLineOfConfigFile(configFile, { noEmit: true }, ts.sys);
  const program = ts.createProgram(config.fileNames, config.options);
  const diagnostics = ts.getPreEmitDiagnostics(program);
  return { program, diagnostics };
}

function collectGarbage() {
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
}

async function main() {
  memprof.start({ sampleInterval: 128 * 1024 });
  const before = memprof.readMemStats();
  const began = performance.now();
  const held = typeCheck(require('typescript'));
  const seconds = (performance.now() - began) / 1000;
  collectGarbage();

  const stats = memprof.readMemStats();
  const status = memprof.status();
  const sites = collectSites(memprof.readRecords(true), status.heap.sampleInterval);
  const files = held.program.getSourceFiles().length;
  console.log(
    `The TypeScript compiler checked ${files} files in ${seconds.toFixed(1)} s ` +
      `(${held.diagnostics.length} errors) and allocated ${formatBytes(stats.totalAlloc - before.totalAlloc)}.\n`,
  );
  printSites('Where it allocates', sites, 'allocBytes', 12);
  printSites('What is still in use', sites, 'inUseBytes', 12);
  console.log(
    `${status.heap.samplesSeen} samples, ${status.heap.samplesLost} lost; ${status.heap.harvests} harvests took ` +
      `${((status.internal.harvestCpuNs + status.internal.readCpuNs) / 1e6).toFixed(1)} ms; ${stats.numGC} collections paused ${(stats.pauseTotalNs / 1e6).toFixed(0)} ms.`,
  );

  fs.mkdirSync(path.dirname(outFile), { recursive: true });
  const sink = fs.createWriteStream(outFile);
  await memprof.lookup('heap').writeTo(sink, 1);
  sink.end();
  console.log(`The whole profile is in ${path.relative(process.cwd(), outFile) || outFile}`);
}

main();

'use strict';
// The TypeScript compiler type-checking memprof's own sources, over and over.
const path = require('node:path');
const ts = require('typescript');

const root = path.join(__dirname, '..', '..');

/** One run of the workload; what it returns is all that stays alive. */
module.exports = function checkOnce() {
  const configFile = path.join(root, 'tsconfig.json');
  const config = ts.getParsedCommandLineOfConfigFile(configFile, { noEmit: true }, ts.sys);
  const program = ts.createProgram(config.fileNames, config.options);
  return ts.getPreEmitDiagnostics(program).length;
};

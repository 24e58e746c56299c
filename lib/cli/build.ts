import path from 'node:path';
import { describeTarget, prebuiltName } from '../addon/binary.js';
import { native } from '../addon/native.js';
import type { Command } from './command.js';
import { compile } from './compile.js';
import { UsageError } from './options.js';

const details = `Use this on systems and versions of Node.js for which memprof's package has no binary. It needs python3, make, a C++20
compiler (g++ 11 or clang 14, or later; on Windows, Visual Studio) and node-gyp, which comes with npm. It takes the
headers of Node.js from its installation; if they are not there, node-gyp downloads them. The binary goes into memprof's
directory, named after the ABI of this Node.js, so binaries for several versions can lie side by side.`;

function loads(): boolean {
  try {
    native();
    return true;
  } catch {
    return false;
  }
}

export const build: Command = {
  name: 'build',
  summary: "compile memprof's binary for this Node.js, if there is none",
  usage: 'build [options]',
  details,
  operands: [],
  async run({ values, operands }) {
    if (operands.length > 0) throw new UsageError('build takes no arguments', 'build');
    if (values.force !== true && loads()) {
      process.stdout.write(`memprof has a binary for ${describeTarget()}: nothing to do\n`);
      return 0;
    }
    const root = path.join(__dirname, '..', '..');
    process.stderr.write(`memprof: compiling for ${describeTarget()}; this takes about a minute …\n`);
    const file = path.join(root, 'prebuilds', prebuiltName());
    await compile(root, file, values.verbose === true);
    process.stdout.write(`built ${file}\n`);
    return 0;
  },
};

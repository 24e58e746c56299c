import path from 'node:path';
import { describeTarget, prebuiltName } from '../addon/binary.js';
import { native } from '../addon/native.js';
import type { Command } from './command.js';
import { compile } from './compile.js';
import { UsageError } from './options.js';

const details = `For systems and versions of Node.js that memprof brings no binary for. Needs python3, make and a C++20 compiler (g++ 11,
clang 14 or later; on Windows, Visual Studio), and what comes with npm: node-gyp. Headers of Node.js are taken from its
own installation if they are there, else node-gyp fetches them. The binary is put into memprof's directory under the name of
this version's ABI, so that several versions can be built for.`;

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
  summary: "compile memprof's binary for this Node.js, where it has none",
  usage: 'build [options]',
  details,
  operands: [],
  async run({ values, operands }) {
    if (operands.length > 0) throw new UsageError('there is nothing to name', 'build');
    if (values.force !== true && loads()) {
      process.stdout.write(`memprof has a binary for ${describeTarget()}: nothing to do\n`);
      return 0;
    }
    const root = path.join(__dirname, '..', '..');
    process.stderr.write(`memprof: compiling for ${describeTarget()}, a minute or so …\n`);
    const file = path.join(root, 'prebuilds', prebuiltName());
    await compile(root, file, values.verbose === true);
    process.stdout.write(`built ${file}\n`);
    return 0;
  },
};

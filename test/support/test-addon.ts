import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Test } from 'tap';
import { root } from './run.js';

/** Compiles `test/support/NAME.cc`, which needs no headers of Node.js, to an addon in a directory of the test's. */
export function testAddon(t: Test, name: string): string {
  const file = path.join(t.testdir(), `${name}.node`);
  const flags = ['-std=gnu++17', '-O2', '-shared', '-fPIC'];
  execFileSync(process.env.CXX ?? 'g++', [
    ...flags,
    path.join(root, 'test', 'support', `${name}.cc`),
    '-o',
    file,
  ]);
  return file;
}

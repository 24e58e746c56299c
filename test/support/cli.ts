import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fixtures, type Outcome, type RunOptions, root, runNodeSync } from './run.js';

export { fixtures, plainNode } from './run.js';

/** The command as users get it; `npm run build` must run before the tests. */
export const main = path.join(root, 'dist', 'cli', 'main.js');
export const before = path.join(fixtures, 'go-proto', 'before.pb.gz');
export const after = path.join(fixtures, 'go-proto', 'after.pb.gz');
export const golden = path.join(fixtures, 'golden', 'go-heap-rate1024.txt');

export type Run = Outcome;

export function toRun({ status, signal, stdout, stderr }: SpawnSyncReturns<string>): Run {
  return { code: status, signal, stdout, stderr };
}

export function memprof(args: readonly string[], options: Omit<RunOptions, 'args'> = {}): Run {
  return runNodeSync(main, { flags: [], args, ...options });
}

/** Standard output of `go tool pprof`: for tests that say `needs('go')`. */
export function goPprof(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('go', ['tool', 'pprof', ...args], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`go tool pprof ${args.join(' ')}: ${stderr}`);
  return stdout;
}

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The command as it is installed: `npm run build` comes before the tests. */
export const main = path.join(__dirname, '..', 'dist', 'cli', 'main.js');
export const fixtures = path.join(__dirname, 'fixtures');
export const before = path.join(fixtures, 'go-proto', 'before.pb.gz');
export const after = path.join(fixtures, 'go-proto', 'after.pb.gz');
export const golden = path.join(fixtures, 'golden', 'go-heap-rate1024.txt');

/** Node.js without what tap puts into the Node.js processes of a test. */
export const plainNode = ['env', '-u', 'NODE_OPTIONS', process.execPath] as const;

export interface Run {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string | Buffer;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export function toRun({ status, signal, stdout, stderr }: SpawnSyncReturns<string>): Run {
  return { code: status, signal, stdout, stderr };
}

export function memprof(args: readonly string[], options: RunOptions = {}): Run {
  const [command, ...before] = plainNode;
  return toRun(spawnSync(command, [...before, main, ...args], { encoding: 'utf8', ...options }));
}

/** Standard output of `go tool pprof`. */
export function goPprof(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('go', ['tool', 'pprof', ...args], { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`go is missing: install the package golang-go (${error.message})`);
  if (status !== 0) throw new Error(`go tool pprof ${args.join(' ')}: ${stderr}`);
  return stdout;
}

export const chromium = '/usr/bin/chromium';

export function needChromium(): string {
  if (!existsSync(chromium)) throw new Error(`${chromium} is missing: install the package chromium`);
  return chromium;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Test } from 'tap';
import type { ServeOptions } from '../../lib/http/index.js';

const program = path.join(__dirname, '..', 'programs', 'http-app.cjs');

/** Starts test/programs/http-app.cjs; it ends with the test. Resolves to where it serves, without the last slash. */
export async function startApp(
  t: Test,
  mode: 'busy' | 'leaks' | 'idle',
  options: ServeOptions = {},
): Promise<{ base: string; origin: string; child: ChildProcess }> {
  const command = ['-u', 'NODE_OPTIONS', process.execPath, program, mode, JSON.stringify(options)];
  const child = spawn('env', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  const base = line.trim().replace(/\/$/, '');
  return { base, origin: base.replace('/debug/pprof', ''), child };
}

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Test } from 'tap';
import type { ServeOptions } from '#dist/http.js';
import { programPath, startNode } from './run.js';

/** Starts test/programs/http-app.cjs; it ends with the test. Resolves to where it serves, without the last slash. */
export async function startApp(
  t: Test,
  mode: 'busy' | 'leaks' | 'idle',
  options: ServeOptions = {},
): Promise<{ base: string; origin: string; child: ChildProcess }> {
  const child = startNode(programPath('http-app'), {
    flags: [],
    args: [mode, JSON.stringify(options)],
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  const base = line.trim().replace(/\/$/, '');
  return { base, origin: base.replace('/debug/pprof', ''), child };
}

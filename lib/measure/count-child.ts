import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Answer, PARENT_PIPE } from './count-objects.js';
import { measure } from './measure.js';

/** Runs in the child process of `countObjects`. The arguments are the module, the export, and the options of `measure`. */
async function answer(): Promise<Answer> {
  const [file, exportName, options] = process.argv.slice(2) as [string, string, string];
  try {
    const exported = find(await import(pathToFileURL(file).href), exportName);
    if (typeof exported !== 'function') return { problem: `there is no function of that name` };
    return { measured: await measure(exported as () => unknown, JSON.parse(options)) };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Node.js does not detect the names of all CommonJS exports, so look into the default export too. */
function find(module: Record<string, unknown>, name: string): unknown {
  return module[name] ?? (module.default as Record<string, unknown> | undefined)?.[name];
}

async function endWithParent(): Promise<void> {
  // SIGKILL ends the process at once; an orderly exit would wait for threads and 'exit' listeners.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel?.unref(); // A function whose promise never settles must not keep the child alive.
  try {
    const file = path.join(__dirname, 'end-with-parent.js');
    const thread = new Worker(file, { workerData: PARENT_PIPE, execArgv: [], env: {} });
    await once(thread, 'online');
    thread.unref();
  } catch {
    // The permission model may forbid threads.
  }
}

function reply(message: Answer): void {
  process.send?.(message, () => process.exit());
}

process.on('uncaughtException', (error) => reply({ problem: problemOf(error) }));
void endWithParent().then(answer).then(reply);

import { pathToFileURL } from 'node:url';
import type { Answer } from './count-objects.js';
import { measure } from './measure.js';

/** The child process of `countObjects`: the module, the export, and the options of `measure` as arguments. */
async function answer(): Promise<Answer> {
  const [file, exportName, options] = process.argv.slice(2) as [string, string, string];
  try {
    const exported = find(await import(pathToFileURL(file).href), exportName);
    if (typeof exported !== 'function') return { problem: `there is no function of that name` };
    return { measured: await measure(exported as () => unknown, JSON.parse(options)) };
  } catch (error) {
    return { problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Node.js finds the names of most, but not of all, CommonJS exports. */
function find(module: Record<string, unknown>, name: string): unknown {
  return module[name] ?? (module.default as Record<string, unknown> | undefined)?.[name];
}

void answer().then((message) => process.send?.(message, () => process.exit()));

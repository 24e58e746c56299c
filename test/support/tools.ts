import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Programs that some tests need, and the Debian packages that contain them. */
const PACKAGES = {
  go: 'golang-go',
  'google-pprof': 'google-perftools',
  chromium: 'chromium',
  script: 'bsdutils',
  pgrep: 'procps',
  prometheus: 'prometheus',
  promtool: 'prometheus',
} as const;

export type Tool = keyof typeof PACKAGES;

/** The path of the program, if it is installed. */
export function findTool(tool: Tool): string | undefined {
  const files = (process.env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, tool));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Options of a test that needs these programs: without one it is skipped, and the last lines of the suite say so. */
export function needs(...tools: Tool[]): { skip: string | false } {
  const missing = tools.filter((tool) => findTool(tool) === undefined);
  const names = missing.map((tool) => `${tool} (package ${PACKAGES[tool]})`);
  return { skip: missing.length > 0 && `not installed: ${names.join(', ')}` };
}

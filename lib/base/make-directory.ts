import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes a directory and those above it, as `mkdirSync` does with `recursive`. That function never returns where `mkdir` says
 * ENOENT although the parent exists, as it does in `/proc` (Node.js 20 to 26); this one throws.
 */
export function makeDirectory(directory: string, mode = 0o777): void {
  try {
    makeOne(directory, mode);
  } catch (error) {
    const parent = path.dirname(directory);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === directory) throw error;
    makeDirectory(parent, mode);
    makeOne(directory, mode);
  }
}

function makeOne(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { mode });
  } catch (error) {
    if (!isDirectory(directory)) throw error;
  }
}

function isDirectory(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}

// nodemon restarts a program by SIGUSR2, and waits until it is dead: who listens to that signal lets nodemon wait for ever.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const MOST_ANCESTORS = 32;
const NODE = /^node(js)?(\d+)?(\.exe)?$/;
const NODEMON = /^nodemon(\.[cm]?js)?$/;

/** Whether a command line, in parts as `/proc` has it, is nodemon's: as a program of its own, or as a script of node's. */
export function isNodemon(commandLine: readonly string[]): boolean {
  const [program = '', ...args] = commandLine.map((part) => path.basename(part));
  // npm and npx show their whole command as one part.
  if (NODEMON.test(program) || /(^|\s|\/)nodemon(\s|$)/.test(commandLine[0] ?? '')) return true;
  return NODE.test(program) && args.some((arg) => NODEMON.test(arg));
}

/** Undefined where `/proc` does not say. */
function isAmongAncestors(): boolean | undefined {
  let pid = process.ppid;
  try {
    for (let i = 0; i < MOST_ANCESTORS && pid > 1; i++) {
      if (isNodemon(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'))) return true;
      // After the command's name, which may have any characters: state and parent.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      pid = Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]);
    }
    return false;
  } catch {
    return undefined; // No such file system, or not for us; or an ancestor has just ended.
  }
}

/** What npm says it runs, and a shell. Only a hint: all descendants have it. */
function isInEnvironment(env: NodeJS.ProcessEnv): boolean {
  return /\bnodemon\b/.test(env.npm_lifecycle_script ?? '') || NODEMON.test(path.basename(env._ ?? ''));
}

/** Whether nodemon started this process, or what started it. Takes some 0.1 ms. Never throws. */
export function isUnderNodemon(env: NodeJS.ProcessEnv): boolean {
  const found = process.platform === 'linux' ? isAmongAncestors() : undefined;
  return found ?? isInEnvironment(env);
}

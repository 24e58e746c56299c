// nodemon restarts a program by sending SIGUSR2 and waiting until it has died. If memprof caught the signal, nodemon would
// wait for ever.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const MOST_ANCESTORS = 32;
const NODE = /^node(js)?(\d+)?(\.exe)?$/;
const NODEMON = /^nodemon(\.[cm]?js)?$/;

/** Whether a command line, split as in `/proc`, is that of nodemon: run directly, or as a script of node. */
export function isNodemon(commandLine: readonly string[]): boolean {
  const [program = '', ...args] = commandLine.map((part) => path.basename(part));
  // npm and npx show their whole command as one part.
  if (NODEMON.test(program) || /(^|\s|\/)nodemon(\s|$)/.test(commandLine[0] ?? '')) return true;
  return NODE.test(program) && args.some((arg) => NODEMON.test(arg));
}

/** Whether nodemon is among the parents of this process; undefined if `/proc` does not tell. */
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
    return undefined; // There is no /proc, it cannot be read, or an ancestor has just ended.
  }
}

/** Looks for nodemon in the variables that npm and shells set. This is only a hint, because all descendants inherit them. */
function isInEnvironment(env: NodeJS.ProcessEnv): boolean {
  return /\bnodemon\b/.test(env.npm_lifecycle_script ?? '') || NODEMON.test(path.basename(env._ ?? ''));
}

/** Whether nodemon started this process, directly or not. Takes about 0.1 ms. Never throws. */
export function isUnderNodemon(env: NodeJS.ProcessEnv): boolean {
  const found = process.platform === 'linux' ? isAmongAncestors() : undefined;
  return found ?? isInEnvironment(env);
}

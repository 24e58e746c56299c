// Decides which of this process's Node.js options memprof passes on to the child processes that it starts.

/** With these options the child would run another program, or run its program in another mode. */
const PROGRAM_OR_MODE = new Set([
  ...['-', '--', '-e', '-p', '-pe', '-c', '-i', '-h', '-v'],
  ...['--eval', '--print', '--check', '--interactive', '--help', '--version', '--v8-options'],
  ...['--input-type', '--entry-url', '--run', '--snapshot-blob', '--completion-bash', '--prof-process'],
  ...['--experimental-sea-config', '--build-sea', '--build-snapshot', '--build-snapshot-config'],
  ...['--vfs-load', '--experimental-test-coverage'],
  // The child inherits the environment, which already has the variables from these files.
  ...['--env-file', '--env-file-if-exists'],
]);
const FAMILIES = /^--(test|bench|watch)(-|$)/;

// These would sample the child's heap, make it wait for a debugger, or open the parent's inspector port a second time.
const WATCHES_THE_PROCESS = /^--(inspect|debug|heap-prof|cpu-prof)/;

function isDropped(option: string): boolean {
  const name = option.split('=', 1)[0]!.replaceAll('_', '-');
  return PROGRAM_OR_MODE.has(name) || FAMILIES.test(name) || WATCHES_THE_PROCESS.test(name);
}

/**
 * Drops the options that name a program or a mode of Node.js (`--eval`, `--test`, `--watch` …), and their values. In
 * `process.execArgv`, an entry without a dash is the value of the option before it.
 */
export function flagsForChild(flags: readonly string[]): string[] {
  let dropped = false;
  return flags.filter((flag) => {
    if (flag.startsWith('-')) dropped = isDropped(flag);
    return !dropped;
  });
}

/** Splits `NODE_OPTIONS` as Node.js does: at blanks outside double quotes; inside them a backslash escapes. */
function splitNodeOptions(text: string): string[] {
  return Array.from(text.matchAll(/(?:"(?:\\.|[^"\\])*"?|[^" ])+/gs), ([part]) =>
    part.replace(/"((?:\\.|[^"\\])*)"?/gs, (_, quoted: string) => quoted.replace(/\\(.)/gs, '$1')),
  );
}

/** An option as `NODE_OPTIONS` needs it. */
export function quotedOption(flag: string): string {
  return /["\\\s]/.test(flag) || flag === '' ? `"${flag.replace(/["\\]/g, '\\$&')}"` : flag;
}

/** A copy of `env` whose `NODE_OPTIONS` lacks the options that `flagsForChild` drops. */
export function envForChild(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const given = env.NODE_OPTIONS;
  if (given === undefined) return { ...env };
  const flags = splitNodeOptions(given);
  const kept = flagsForChild(flags);
  return kept.length === flags.length
    ? { ...env }
    : { ...env, NODE_OPTIONS: kept.map(quotedOption).join(' ') };
}

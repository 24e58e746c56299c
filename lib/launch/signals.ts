// What listening for a signal does to the program. Which signals are listened for, and what they write:
// start-registered.ts (memprof/register) and start-run.ts (memprof run).

type Listener = (...args: unknown[]) => void;

/** Signals that end a program unless it listens for them, and that leave it time to write a profile. */
export const DEADLY_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Signals whose only use is to ask a program to end. */
export const ASKS_TO_END: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGBREAK']);

/**
 * Listens for the signal only while nobody else does. If the program listens itself, it decides whether it ends; and
 * libraries that clean up on signals (`signal-exit`) count the listeners to find out, so ours must not be among them.
 */
export function writeBeforeDeathBy(signal: NodeJS.Signals, write: () => void): void {
  const onSignal = () => {
    // Listens until it is written: supervisors signal every process of a tree, and `memprof run` hands signals on, so a
    // second one may come in the middle, and without a listener it would end the program.
    write();
    process.off('newListener', onNew);
    process.off('removeListener', onRemoved);
    process.off(signal, onSignal);
    process.kill(process.pid, signal);
  };
  const onNew = (event: string, listener: Listener) => {
    if (event !== signal || listener === onSignal) return;
    // The new listener is not registered yet. If ours left now, Node.js would briefly have no handler for the signal.
    process.nextTick(() => {
      if (process.listenerCount(signal) > 1) process.off(signal, onSignal);
    });
  };
  const onRemoved = (event: string, listener: Listener) => {
    if (event === signal && listener !== onSignal && process.listenerCount(signal) === 0) {
      process.on(signal, onSignal);
    }
  };
  process.on(signal, onSignal);
  process.on('newListener', onNew);
  process.on('removeListener', onRemoved);
}

/**
 * Writes a profile at each such signal. One that asks the program to end still ends it, after the profile is written:
 * `write` is told so.
 */
export function writeOnSignal(signal: NodeJS.Signals | undefined, write: (ends: boolean) => void): void {
  if (signal === undefined) return;
  if (ASKS_TO_END.has(signal)) writeBeforeDeathBy(signal, () => write(true));
  else process.on(signal, () => write(false));
}

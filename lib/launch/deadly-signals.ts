type Listener = (...args: unknown[]) => void;

/** Signals that end a program unless it listens, and that it can outlive for long enough to write a profile. */
export const DEADLY_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Signals by which people and supervisors ask for nothing else than a program's end. */
export const ASKS_TO_END: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGBREAK']);

/**
 * Listens as long as nobody else does. A program's own listener decides whether it dies, and libraries that clean up
 * at signals (`signal-exit`) count listeners to find out: ours must not be among them.
 */
export function writeBeforeDeathBy(signal: NodeJS.Signals, write: () => void): void {
  const onSignal = () => {
    process.off('newListener', onNew);
    process.off('removeListener', onRemoved);
    process.off(signal, onSignal);
    write();
    process.kill(process.pid, signal);
  };
  const onNew = (event: string, listener: Listener) => {
    if (event !== signal || listener === onSignal) return;
    // It is not there yet, and without any Node.js would stop listening.
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

// What long work is at, in one line of a terminal that is written over. Nothing is written into a pipe or a file.

let shown = false;

/** Shows the text in place of the one before. */
export function progress(text: string): void {
  if (!process.stderr.isTTY) return;
  if (!shown) process.once('exit', endProgress);
  shown = true;
  const columns = process.stderr.columns || 80;
  process.stderr.write(`\r\u001b[K${`memprof: ${text}`.slice(0, columns - 1)}`);
}

/** Takes the line away, before anything else is written. */
export function endProgress(): void {
  if (!shown) return;
  shown = false;
  process.off('exit', endProgress);
  process.stderr.write('\r\u001b[K');
}

/** Waits, with a line that says for how long still. Resolves to false if Ctrl-C ended that; the next one ends the program. */
export function waitFor(milliseconds: number, tell: (seconds: number) => string): Promise<boolean> {
  return new Promise((resolve) => {
    const until = Date.now() + milliseconds;
    const show = () => progress(tell(Math.max(0, Math.round((until - Date.now()) / 1000))));
    const ticking = setInterval(show, 1000);
    const finish = (isWhole: boolean) => {
      clearInterval(ticking);
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
      resolve(isWhole);
    };
    const interrupt = () => finish(false);
    const timer = setTimeout(() => finish(true), milliseconds);
    process.once('SIGINT', interrupt);
    show();
  });
}

import type { WriteStream } from 'node:tty';

/** Emphasis for terminals that support it. */
export interface Style {
  bold(text: string): string;
  /** Colours text by its share, such as ` 3.25%`. */
  weight(text: string, percentage: string): string;
}

const plain: Style = { bold: (text) => text, weight: (text) => text };

const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;
const red = sgr(31, 39);
const yellow = sgr(33, 39);
const dim = sgr(2, 22);

const colored: Style = {
  bold: sgr(1, 22),
  weight(text, percentage) {
    const share = Number.parseFloat(percentage);
    if (share >= 10) return red(text);
    if (share >= 1) return yellow(text);
    return share === 0 ? dim(text) : text;
  },
};

/** Uses colours only on a terminal that has them; respects `NO_COLOR`, `TERM=dumb` and the like. */
export function styleFor(stream: NodeJS.WritableStream): Style {
  const terminal = stream as Partial<WriteStream>;
  return terminal.isTTY && terminal.hasColors?.() ? colored : plain;
}

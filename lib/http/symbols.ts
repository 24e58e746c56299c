import { readBufferRecords, readRecords } from '../sampler/records.js';

/**
 * Returns the names of addresses, as the page `symbol` of net/http/pprof does: addresses are hexadecimal (`0x…`) or decimal,
 * with `+` between them; unknown ones are left out. gperftools' reader asks for the addresses in the text profile, which
 * are one higher than those of the frames; they are found too.
 */
export function symbolLines(asked: string): string {
  const names = addressNames();
  let lines = 'num_symbols: 1\n';
  for (const text of asked.split('+')) {
    const address = parseAddress(text);
    const name = address === undefined ? undefined : names.get(address);
    if (name !== undefined) lines += `0x${address!.toString(16)} ${name}\n`;
  }
  return lines;
}

function parseAddress(text: string): number | undefined {
  // As in Go's ParseUint with base 0, but without octal numbers (a leading 0), which nobody sends.
  if (!/^(?:0[xX][\da-fA-F]{1,16}|[1-9]\d{0,19})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function addressNames(): Map<number, string> {
  const names = new Map<number, string>();
  for (const record of [...readRecords(true), ...readBufferRecords(true)]) {
    for (const { address, functionName } of record.stack()) {
      const name = oneLine(functionName);
      names.set(address, name);
      if (!names.has(address + 1)) names.set(address + 1, name);
    }
  }
  return names;
}

function oneLine(name: string): string {
  return name.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ');
}

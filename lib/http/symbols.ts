import { readBufferRecords, readRecords } from '../sampler/records.js';

/**
 * Names of the addresses asked for, as net/http/pprof's `symbol` gives them: `+` between addresses, Go's numbers
 * (`0x…`, decimal); what is unknown is left out. gperftools' reader asks for what stands in the text, one more than
 * the address: that is found as well.
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
  // With base 0 as Go's: a leading 0 alone would be octal, which nobody sends.
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

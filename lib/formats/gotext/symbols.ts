import type { Mapping, ProfileFrame } from '../../profile/model.js';

/** A bigint where a number would be rounded. */
export type Address = number | bigint;

export function toAddress(value: bigint): Address {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

interface Symbol {
  functionName: string;
  fileName: string;
  lineNumber: number;
}

/**
 * Names of addresses, from the comments below a record: `#⇥0x401000⇥main.a+0x0⇥/src/a.go:10`, the address being that of
 * the call. Calls inlined there are lines of their own with the same address, leaf first.
 */
export class SymbolTable {
  readonly #byAddress = new Map<Address, readonly Symbol[]>();
  readonly #frames = new Map<Address, readonly Readonly<ProfileFrame>[]>();

  /** What the comments of one record say of the addresses of its stack; what is known already stays. */
  learn(comments: readonly string[], stack: readonly Address[]): void {
    const found = new Map<Address, Symbol[]>();
    for (const line of comments) {
      const comment = parseComment(line);
      if (comment === undefined || this.#byAddress.has(comment.address)) continue;
      const symbols = found.get(comment.address);
      if (symbols === undefined) found.set(comment.address, [comment.symbol]);
      else symbols.push(comment.symbol);
    }
    if (found.size === 0) return;
    const uses = new Map<Address, number>();
    for (const address of stack) uses.set(address, (uses.get(address) ?? 0) + 1);
    for (const [address, symbols] of found) {
      // A recursive stack has the address, and so its lines, several times.
      const times = uses.get(address) ?? symbols.length;
      this.#byAddress.set(address, symbols.slice(0, Math.max(1, Math.floor(symbols.length / times))));
    }
  }

  /** From a symbol section: `a--b` is b, inlined into a. */
  define(address: Address, names: string): void {
    const symbols = names.split('--').reverse();
    this.#byAddress.set(
      address,
      symbols.map((functionName) => ({ functionName, fileName: '', lineNumber: 0 })),
    );
  }

  has(address: Address): boolean {
    return this.#byAddress.has(address);
  }

  /** The frames of an address, the same objects each time; one without a name if there is no symbol. */
  framesAt(
    address: Address,
    symbolAddress: Address,
    mappingAt: (address: Address) => Mapping | undefined,
  ): readonly Readonly<ProfileFrame>[] {
    let frames = this.#frames.get(address);
    if (frames === undefined) {
      const symbols = this.#byAddress.get(symbolAddress) ?? [NO_SYMBOL];
      const mapping = mappingAt(address);
      const place = {
        address: Number(address),
        ...(typeof address === 'bigint' && { exactAddress: address }),
        ...(mapping !== undefined && { mapping }),
      };
      frames = symbols.map((symbol, at) => ({
        ...symbol,
        ...place,
        ...(at < symbols.length - 1 && { inlined: true as const }),
      }));
      this.#frames.set(address, frames);
    }
    return frames;
  }
}

const NO_SYMBOL: Symbol = { functionName: '', fileName: '', lineNumber: 0 };

function parseComment(line: string): { address: Address; symbol: Symbol } | undefined {
  const [, pc, name, place] = line.split(/\t+/, 4);
  if (pc === undefined || name === undefined || !/^0x[0-9a-f]{1,16}$/.test(pc)) return undefined;
  const offset = name.lastIndexOf('+0x');
  const colon = place === undefined ? -1 : place.lastIndexOf(':');
  const fileName = place === undefined ? '' : place.slice(0, colon === -1 ? place.length : colon);
  return {
    address: toAddress(BigInt(pc)),
    symbol: {
      functionName: offset === -1 ? name : name.slice(0, offset),
      fileName: fileName === '?' ? '' : fileName,
      lineNumber: colon === -1 ? 0 : Number.parseInt(place!.slice(colon + 1), 10) || 0,
    },
  };
}

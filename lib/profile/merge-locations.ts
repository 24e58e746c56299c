import { endOfLocation, functionNames, hasFunction } from './locations.js';
import type { Location } from './merged.js';
import type { Mapping, ProfileData, ProfileFrame } from './model.js';

type Frame = Readonly<ProfileFrame>;

interface MovedMapping {
  mapping: Mapping;
  index: number;
  /** What addresses move by, for the mapping is somewhere else in the profile that had it first. */
  move: bigint;
}

/** Where the last frame of a location that begins with a certain one was seen. */
interface Known {
  index: number;
  end: Frame;
  /** The number of frames where calls are inlined; 0 for a frame that always is a location of its own. */
  size: number;
}

const PAGE = 0x1000n;
const NOTHING = { functions: false, fileNames: false, lineNumbers: false, inlinedCalls: false };

/** The locations of several profiles, each once, wherever the binaries were mapped. */
export class MergedLocations {
  readonly mappings: Mapping[] = [];
  readonly locations: Location[] = [];
  readonly #mappingsByKey = new Map<string, MovedMapping>();
  readonly #byKey = new Map<string, number>();
  readonly #functionIds = new Map<string, number>();
  readonly #scratch: number[] = [];
  #ofFrames = new Map<Frame, Known>();
  #ofMappings = new Map<Readonly<Mapping>, MovedMapping>();
  /** Of frames without one, in a profile without any: as for Go, all is in one binary then. */
  #binary: Mapping | undefined;

  /** The stacks that follow are those of this profile. */
  begin({ mappings }: ProfileData): void {
    this.#ofFrames = new Map();
    this.#ofMappings = new Map();
    this.#binary =
      mappings.length > 0
        ? undefined
        : { start: 0, limit: 0, offset: 0, fileName: '', buildId: '', known: NOTHING };
    const program = mappings[0] ?? this.#binary;
    // The first mapping of all is the program, even if no sample is there.
    if (this.mappings.length === 0 && program !== undefined) this.#move(program);
  }

  /** Of a stack, leaf first. The array is used again. */
  indexesOf(stack: readonly Frame[]): readonly number[] {
    const indexes = this.#scratch;
    indexes.length = 0;
    let at = 0;
    while (at < stack.length) {
      const first = stack[at]!;
      let known = this.#ofFrames.get(first);
      // In another stack, an inlined call may have been inlined elsewhere.
      if (known === undefined || (known.size > 0 && stack[at + known.size - 1] !== known.end)) {
        const next = endOfLocation(stack, at);
        const size = first.inlined === true ? next - at : 0;
        known = { index: this.#indexOf(stack.slice(at, next)), end: stack[next - 1]!, size };
        this.#ofFrames.set(first, known);
      }
      indexes.push(known.index);
      at += known.size || 1;
    }
    return indexes;
  }

  #indexOf(frames: readonly Frame[]): number {
    const { address, exactAddress, mapping: source = this.#binary, folded = false } = frames[0]!;
    const moved = source === undefined ? undefined : this.#move(source);
    const place = movedAddress(exactAddress ?? address, moved?.move ?? 0n);
    const hasLines = hasFunction(frames[0]!);
    const start = moved === undefined ? 0n : startOf(moved.mapping);
    const offset = start === 0n ? place : BigInt.asUintN(64, BigInt(place) - start);
    const lines = hasLines
      ? frames.map((frame) => `${this.#functionId(frame)}:${frame.lineNumber}:${frame.columnNumber ?? 0}`)
      : [];
    const key = `${offset} ${moved?.index ?? -1} ${Number(folded)} ${lines.join()}`;
    let index = this.#byKey.get(key);
    if (index === undefined) {
      index = this.locations.length;
      this.#byKey.set(key, index);
      this.locations.push({ address: place, mapping: moved?.mapping, frames, hasLines, folded });
    }
    return index;
  }

  #functionId(frame: Frame): number {
    const [name, systemName] = functionNames(frame);
    const key = `${frame.startLine ?? frame.lineNumber}\0${name}\0${systemName}\0${frame.fileName}`;
    let id = this.#functionIds.get(key);
    if (id === undefined) {
      id = this.#functionIds.size;
      this.#functionIds.set(key, id);
    }
    return id;
  }

  #move(source: Readonly<Mapping>): MovedMapping {
    let moved = this.#ofMappings.get(source);
    if (moved !== undefined) return moved;
    const key = mappingKey(source);
    const first = this.#mappingsByKey.get(key);
    if (first === undefined) {
      moved = { mapping: source, index: this.mappings.length, move: 0n };
      this.mappings.push(source);
      this.#mappingsByKey.set(key, moved);
    } else {
      moved = { ...first, move: startOf(first.mapping) - startOf(source) };
    }
    this.#ofMappings.set(source, moved);
    return moved;
  }
}

function startOf({ start, exact }: Readonly<Mapping>): bigint {
  return exact?.start ?? BigInt(start);
}

/**
 * Mappings are the same if they are of the same file, with the same size in pages and the same offset. Where they start does
 * not matter, because the system moves them in each process.
 */
function mappingKey({ start, limit, offset, exact, fileName, buildId }: Readonly<Mapping>): string {
  const size = BigInt.asUintN(
    64,
    (exact?.limit ?? BigInt(limit)) - (exact?.start ?? BigInt(start)) + PAGE - 1n,
  );
  return `${size - (size % PAGE)} ${exact?.offset ?? BigInt(offset)} ${buildId || fileName}`;
}

function movedAddress(address: number | bigint, move: bigint): number | bigint {
  if (move === 0n && (typeof address === 'bigint' || Number.isSafeInteger(address))) return address;
  const place = BigInt.asUintN(64, BigInt(address) + move);
  return place <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(place) : place;
}

import type { ProfileData, ProfileFrame } from '../profile/model.js';

/** A function at one place in the tree of calls. */
export interface FlameFrame {
  /** Index of the caller, which precedes it in the array; -1 for the root. */
  parent: number;
  /** Indices into `texts`. */
  name: number;
  place: number;
  /** What it allocated itself, by column, in the profile and in the base; `undefined` if nothing. */
  own?: number[];
  ownBase?: number[];
}

export interface FlameData {
  texts: string[];
  /** The root first. */
  frames: FlameFrame[];
}

// The library and browsers walk the tree recursively, so its depth is limited.
const MAX_DEPTH = 1000;

// Anonymous functions are distinguished by their place.
const ANONYMOUS = /^$|^\(?anonymous\)?$|^<anonymous>$/;

/** Builds the tree of calls of a profile, from the root down, together with that of a base to compare it with. */
export function flameFrames(profile: ProfileData, base?: ProfileData): FlameData {
  const texts = new Map<string, number>();
  const textOf = (text: string) => {
    const index = texts.get(text) ?? texts.size;
    texts.set(text, index);
    return index;
  };
  const root: FlameFrame = { parent: -1, name: textOf('all'), place: textOf('') };
  const frames = [root];
  const children: Map<string, number>[] = [new Map()];
  const keys = new Map<Readonly<ProfileFrame>, string>();
  const keyOf = (frame: Readonly<ProfileFrame>) => {
    let key = keys.get(frame);
    if (key === undefined) {
      const { functionName, fileName, lineNumber, startLine } = frame;
      const line = startLine || (ANONYMOUS.test(functionName) ? lineNumber : 0);
      key = `${line} ${functionName.length} ${functionName}${fileName}`;
      keys.set(frame, key);
    }
    return key;
  };

  const add = ({ samples }: ProfileData, which: 'own' | 'ownBase') => {
    for (const { values, stack } of samples) {
      let at = 0;
      const first = Math.max(0, stack.length - MAX_DEPTH);
      for (let i = stack.length - 1; i >= first; i--) {
        const frame = stack[i]!;
        const key = keyOf(frame);
        let child = children[at]!.get(key);
        if (child === undefined) {
          child = frames.length;
          frames.push({ parent: at, name: textOf(nameOf(frame)), place: textOf(placeOf(frame)) });
          children.push(new Map());
          children[at]!.set(key, child);
        }
        at = child;
      }
      const leaf = frames[at]!;
      leaf[which] = values.map((value, column) => value + (leaf[which]?.[column] ?? 0));
    }
  };
  add(profile, 'own');
  if (base !== undefined) add(base, 'ownBase');
  return { texts: [...texts.keys()], frames };
}

function nameOf({ functionName, fileName, lineNumber, address }: ProfileFrame): string {
  if (!ANONYMOUS.test(functionName)) return functionName;
  if (fileName !== '') return `(anonymous) ${fileName.split(/[\\/]/).at(-1)}:${lineNumber}`;
  return functionName || (address === 0 ? '(unknown)' : `0x${address.toString(16)}`);
}

function placeOf({ fileName, lineNumber, startLine }: ProfileFrame): string {
  return fileName === '' ? '' : `${fileName}:${startLine || lineNumber}`;
}

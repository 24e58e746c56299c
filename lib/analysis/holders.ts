// Turns the raw paths from V8's roots to sampled objects into what a person reads: where a path begins in the program,
// without V8's own nodes, and paths of one shape as one.

/** The answer of `native/heap/retaining_paths.h`. */
export interface NativePaths {
  /** Objects in the snapshot. */
  nodes: number;
  snapshotNs: number;
  walkNs: number;
  /** Sampled objects that are alive; at most 4000 of them are in `objects`. */
  alive: number;
  /** Four numbers each: stack, size, state (0 freed, 1 not held, 2 held), step (-1: none). */
  objects: number[];
  /** Eight numbers each: parent, kind of the edge, its name, kind of the node, its name, file, line, column. */
  steps: number[];
  texts: string[];
}

export interface HeldObject {
  stack: number;
  size: number;
  state: 'freed' | 'not held' | 'held';
  /** Index of the step that ends at the object. */
  step: number;
}

/** Kinds of edges and nodes: those of v8-profiler.h, and two of memprof's own. */
const Edge = { contextVariable: 0, element: 1, property: 2, internal: 3, hidden: 4, shortcut: 5 };
const Node = { array: 1, string: 2, object: 3, code: 4, closure: 5, regExp: 6, number: 7, native: 8 };
const SYNTHETIC = 9;
const CONS_STRING = 10;
const SLICED_STRING = 11;
const MODULE_SCOPE = 100;

/** Is added to the kind of an edge before which steps were left out. */
const GAP = 100;

const STATES = ['freed', 'not held', 'held'] as const;
const PER_OBJECT = 4;
const PER_STEP = 8;

export function objectsOf({ objects }: NativePaths): HeldObject[] {
  const all: HeldObject[] = [];
  for (let at = 0; at < objects.length; at += PER_OBJECT) {
    const [stack, size, state, step] = objects.slice(at, at + PER_OBJECT) as [number, number, number, number];
    all.push({ stack, size, state: STATES[state] ?? 'not held', step });
  }
  return all;
}

/** Where something is defined; the line is 0 if unknown. */
export interface Place {
  fileName: string;
  lineNumber: number;
}

/**
 * Finds lines that V8 does not tell: of a function or a class by its name, and of a variable of a module. `known` is what
 * V8 tells; the place is then the same in the sources.
 */
export type FindPlace = (
  name: string,
  fileName: string,
  isVariable: boolean,
  known?: { line: number; column: number },
) => Place;

export interface Path {
  /** What a reader sees, from where the path begins in the program. The last one stands for the object itself. */
  segments: readonly string[];
  /** What kind of object it ends at: `Array`, `closure`, `string`, `Session` …. */
  kind: string;
  /** Where the innermost closure, class or module on the path is. */
  place: Place | undefined;
}

interface Step {
  parent: number;
  edge: number;
  /** Whether steps before it were left out. */
  afterGap: boolean;
  edgeName: string;
  kind: number;
  name: string;
  fileName: string;
  line: number;
  column: number;
}

export class Holders {
  readonly #raw: NativePaths;
  readonly #findPlace: FindPlace;
  readonly #passes = new Map<number, number>();
  readonly #held: number;

  constructor(raw: NativePaths, findPlace: FindPlace) {
    this.#raw = raw;
    this.#findPlace = findPlace;
    const held = objectsOf(raw).filter(({ step }) => step >= 0);
    this.#held = held.length;
    for (const { step } of held) this.#countPasses(step);
  }

  /** The path to the object of that step. */
  pathTo(step: number): Path {
    const steps: Step[] = [];
    for (let at = step; at >= 0; at = this.#parentOf(at)) steps.push(this.#stepAt(at));
    steps.reverse();
    return this.#read(steps.slice(this.#beginOf(step, steps)));
  }

  #stepAt(index: number): Step {
    const { steps, texts } = this.#raw;
    const at = index * PER_STEP;
    return {
      parent: steps[at]!,
      edge: steps[at + 1]! % GAP,
      afterGap: steps[at + 1]! >= GAP,
      edgeName: texts[steps[at + 2]!] ?? '',
      kind: steps[at + 3]!,
      name: texts[steps[at + 4]!] ?? '',
      fileName: texts[steps[at + 5]!] ?? '',
      line: steps[at + 6]!,
      column: steps[at + 7]!,
    };
  }

  #parentOf(index: number): number {
    return this.#raw.steps[index * PER_STEP]!;
  }

  #countPasses(step: number): void {
    for (let at = step; at >= 0; at = this.#parentOf(at)) {
      if (this.#raw.steps[at * PER_STEP + 3] !== MODULE_SCOPE) continue;
      this.#passes.set(at, (this.#passes.get(at) ?? 0) + 1);
    }
  }

  /**
   * A path begins at the last variable of a module on it. V8 does not tell a module's scope from that of a function in a
   * module without variables that closures use; but of the latter there is one for each call, of the former one.
   */
  #beginOf(step: number, steps: readonly Step[]): number {
    const enough = this.#held === 1 ? 1 : Math.max(2, this.#held / 10);
    let index = step;
    for (let at = steps.length - 1; at > 0; at--) {
      const parent = this.#parentOf(index);
      const isVariable = steps[at]!.edge === Edge.contextVariable;
      if (isVariable && steps[at - 1]!.kind === MODULE_SCOPE && (this.#passes.get(parent) ?? 0) >= enough) {
        return at;
      }
      index = parent;
    }
    const begin = steps.findIndex(({ kind }) => kind !== SYNTHETIC);
    return begin === -1 ? steps.length : begin;
  }

  #read(steps: readonly Step[]): Path {
    const segments: string[] = [];
    let place: Place | undefined;
    const placeOf = (step: Step) => {
      if (step.fileName === '') return undefined;
      const known = step.line > 0 ? { line: step.line, column: step.column } : undefined;
      return this.#findPlace(step.name, step.fileName, false, known);
    };
    for (const [at, step] of steps.entries()) {
      const before = steps[at - 1];
      if (at === 0) segments.push(this.#beginning(step, this.#fileAround(step)));
      else append(segments, before!, step);
      const here = placeOf(step);
      if (step.kind === Node.closure) {
        segments.push(`closure${step.name === '' ? '' : ` ${step.name}`}${shownPlace(here)}`);
      }
      if (here !== undefined && !here.fileName.startsWith('node:')) place = here;
    }
    const last = steps.at(-1);
    return {
      segments: withoutRepetitions(segments),
      kind: last === undefined ? 'unknown' : kindOf(last),
      place,
    };
  }

  #beginning({ edge, edgeName, name, kind }: Step, fileName: string): string {
    if (edge === Edge.contextVariable) {
      const place = fileName === '' ? undefined : this.#findPlace(edgeName, fileName, true);
      return `${edgeName} (module scope${place === undefined ? '' : `,${shownPlace(place)}`})`;
    }
    if (kind === Node.closure) return '(V8)';
    return edge === Edge.shortcut ? name : `(V8) ${name === '' ? edgeName : name}`.trimEnd();
  }

  /** The file of the nearest closure before the step: a scope is reached through a function of its module. */
  #fileAround(step: Step): string {
    for (let at = step.parent; at >= 0; at = this.#parentOf(at)) {
      const { kind, fileName } = this.#stepAt(at);
      if (kind === Node.closure || (kind === MODULE_SCOPE && fileName !== '')) return fileName;
    }
    return '';
  }
}

export function shownPlace(place: Place | undefined): string {
  if (place === undefined || place.fileName === '') return '';
  const base = place.fileName.startsWith('node:')
    ? place.fileName
    : (place.fileName.split(/[\\/]/).at(-1) ?? '');
  return ` ${base}${place.lineNumber > 0 ? `:${place.lineNumber}` : ''}`;
}

/** The fields in which V8 keeps the elements or properties of an object, or a closure its scope. */
const TRANSPARENT = new Set(['elements', 'properties', 'table', 'context', 'map', 'shared', 'extension']);

function append(segments: string[], before: Step, { edge, edgeName, afterGap }: Step): void {
  if (afterGap) segments.push(LEFT_OUT);
  const holder = before.kind === Node.object && !PLAIN.has(before.name) ? before.name : '';
  if (edge === Edge.hidden || (edge === Edge.internal && TRANSPARENT.has(edgeName))) {
    // What comes next says of which object it is a part.
    if (holder !== '' && !segments.at(-1)!.includes(holder)) segments.push(holder);
    return;
  }
  if (edge === Edge.contextVariable) {
    segments.push(edgeName);
    return;
  }
  // The list of timers is walked in both directions.
  const name = edgeName.replace(/^_idlePrev$/, '_idleNext');
  if (edgeName === '') {
    if (!segments.at(-1)!.endsWith('[]')) segments[segments.length - 1] += '[]';
    return;
  }
  const field = edge === Edge.property ? `.${name}` : `(${name})`;
  // The beginning of a path has the name of the object already.
  if (segments.at(-1) === holder) segments[segments.length - 1] += field;
  else segments.push(`${holder}${field}`);
}

const LEFT_OUT = '…';

const PLAIN = new Set(['', 'Object', 'Array', 'system / Context']);

/** A list of any length is of one shape: what repeats is shown once. */
function withoutRepetitions(segments: readonly string[]): string[] {
  const LONGEST = 4;
  const kept: string[] = [];
  for (const segment of segments) {
    kept.push(segment);
    for (let length = 1; length <= LONGEST; length++) {
      const again = kept.slice(-length);
      const first = kept.slice(-2 * length, -length);
      if (first.length === length && again.every((each, at) => each === first[at])) {
        kept.length -= length;
        break;
      }
    }
    // Steps are left out only of long lists.
    const [before, gap, after] = kept.slice(-3);
    if (gap === LEFT_OUT && before === after) kept.length -= 2;
  }
  return kept;
}

function kindOf({ kind, name }: Step): string {
  if (kind === Node.closure) return 'closure';
  if (kind === Node.string || kind === CONS_STRING || kind === SLICED_STRING) return 'string';
  if (kind === Node.regExp) return 'RegExp';
  if (kind === Node.number) return 'number';
  if (kind === Node.array) return 'elements';
  if (name === 'system / Context') return 'scope';
  if (kind === Node.object || kind === Node.native) return name || 'Object';
  return name.replace(/^system \/ /, 'V8: ') || 'V8';
}

/** Objects of one site that one thing holds. */
export interface Group {
  segments: readonly string[];
  place: Place | undefined;
  /** How many objects of which kind. */
  kinds: Map<string, number>;
  /** Indices into what was given. */
  members: number[];
}

interface Branch {
  segment: string;
  children: Map<string, Branch>;
  /** Those that end here. */
  ends: number[];
  count: number;
}

/**
 * Puts paths together: what a site allocates belongs together, so what is held by another object of the same site is held
 * by what holds that one, and so is what the elements of one collection hold. The largest group comes first.
 */
export function groupPaths(paths: readonly Path[]): Group[] {
  const root = branch('');
  for (const [index, { segments }] of paths.entries()) {
    let at = root;
    at.count++;
    for (const segment of segments) {
      let child = at.children.get(segment);
      if (child === undefined) {
        child = branch(segment);
        at.children.set(segment, child);
      }
      child.count++;
      at = child;
    }
    at.ends.push(index);
  }
  const enough = Math.max(2, paths.length / 50);
  const groups: Group[] = [];
  const visit = (at: Branch, segments: string[]) => {
    const isElement = at.segment.endsWith('[]');
    if (at !== root && (isElement || at.ends.length >= enough || at.children.size === 0)) {
      groups.push(groupAt(at, segments, paths));
      return;
    }
    // Few end here: they make a group of their own, unless all else is below.
    if (at.ends.length > 0) groups.push(groupOf(at.ends, segments, paths));
    for (const child of at.children.values()) visit(child, [...segments, child.segment]);
  };
  visit(root, []);
  return groups.sort((a, b) => b.members.length - a.members.length);
}

function branch(segment: string): Branch {
  return { segment, children: new Map(), ends: [], count: 0 };
}

function groupAt(begin: Branch, segments: readonly string[], paths: readonly Path[]): Group {
  const members: number[] = [];
  const collect = (at: Branch) => {
    for (const each of at.ends) members.push(each);
    for (const child of at.children.values()) collect(child);
  };
  collect(begin);
  // What most of them share is shown.
  const shown = [...segments];
  for (let at: Branch | undefined = begin; at !== undefined; ) {
    const next: Branch | undefined = [...at.children.values()].find(({ count }) => count * 2 > begin.count);
    if (next !== undefined) shown.push(next.segment);
    at = next;
  }
  return groupOf(members, shown, paths);
}

function groupOf(members: number[], segments: readonly string[], paths: readonly Path[]): Group {
  const kinds = new Map<string, number>();
  for (const each of members) kinds.set(paths[each]!.kind, (kinds.get(paths[each]!.kind) ?? 0) + 1);
  const place = members.map((each) => paths[each]!.place).find((each) => each !== undefined);
  return {
    segments,
    place,
    kinds: new Map([...kinds].sort((a, b) => b[1] - a[1])),
    members,
  };
}

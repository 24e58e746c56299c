// Whose code a function is: the program's own, a package's, Node's or V8's. Colours show it.
import { FRAMES, FUNCTIONS, fileOf, nameOf, ownValues, payload } from './data.js';

export interface Category {
  name: string;
  /** Degrees on the wheel of colours; undefined for grey. */
  hue: number | undefined;
}

const OWN: Category = { name: 'own code', hue: 28 };
const NODE: Category = { name: 'Node.js', hue: 128 };
const V8: Category = { name: 'V8', hue: undefined };
// Far from the hues above, and from the magenta of what was found.
const HUES = [205, 262, 180, 55, 232, 350, 90, 285, 0, 160];

function packageOf(file: string): string | undefined {
  const at = Math.max(file.lastIndexOf('/node_modules/'), file.lastIndexOf('\\node_modules\\'));
  if (at === -1) return undefined;
  const [scope, name] = file.slice(at + '/node_modules/'.length).split(/[\\/]/);
  return scope!.startsWith('@') ? `${scope}/${name}` : scope;
}

function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (value * 31 + text.charCodeAt(i)) >>> 0;
  return value;
}

/** Packages that allocate most have colours of their own. */
function packageCategories(): Map<string, Category> {
  const weights = new Map<string, number>();
  for (let at = 0; at < FRAMES; at++) {
    const name = packageOf(fileOf(payload.frames[at]!));
    if (name !== undefined) weights.set(name, (weights.get(name) ?? 0) + ownValues[payload.type]![at]!);
  }
  const sorted = [...weights].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return new Map(
    sorted.map(([name], at) => [
      name,
      { name, hue: HUES[at < HUES.length ? at : hash(name) % HUES.length]! },
    ]),
  );
}

const packages = packageCategories();

function categoryFor(fn: number): Category {
  const file = fileOf(fn);
  if (fn === payload.frames[0]) return V8; // `all`
  if (file === '') return /^[a-z_$]/i.test(nameOf(fn)) ? OWN : V8;
  if (file.startsWith('node:')) return NODE;
  const name = packageOf(file);
  if (name === undefined) return OWN;
  return packages.get(name) ?? OWN;
}

export const categories: readonly Category[] = Array.from({ length: FUNCTIONS }, (_, fn) => categoryFor(fn));

const shades = Array.from({ length: FUNCTIONS }, (_, fn) => (hash(nameOf(fn)) % 9) - 4);

export function colorOf(category: Category, dark: boolean, shade = 0): string {
  const lightness = dark ? 33 + shade : 78 + shade;
  if (category.hue === undefined) return `hsl(220 8% ${lightness}%)`;
  return `hsl(${category.hue} ${dark ? 42 : 66}% ${lightness}%)`;
}

/** The colour of a function, a little different for each of a category. */
export const functionColor = (fn: number, dark: boolean) => colorOf(categories[fn]!, dark, shades[fn]);

/** Red for what became more, blue for less, orange for new. */
export function changeColor(now: number, base: number, dark: boolean): string {
  const largest = Math.max(now, base);
  if (largest === 0 || now === base) return dark ? 'hsl(220 6% 32%)' : 'hsl(220 8% 85%)';
  if (base === 0) return dark ? 'hsl(28 75% 32%)' : 'hsl(28 95% 70%)';
  const change = (now - base) / largest;
  const strength = Math.min(1, Math.abs(change) * 1.2);
  const hue = change > 0 ? 2 : 215;
  return dark
    ? `hsl(${hue} ${15 + 50 * strength}% ${32 + 4 * strength}%)`
    : `hsl(${hue} ${30 + 60 * strength}% ${88 - 16 * strength}%)`;
}

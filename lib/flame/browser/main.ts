// The flame page. Texts from the profile are only inserted as text, never as markup.
import { type Category, categories, changeColor, colorOf } from './categories.js';
import { errorValues, FUNCTIONS, format, nameOf, payload, placeOf, share } from './data.js';
import { Graph } from './graph.js';
import { readState, type State, type View, writeState } from './state.js';
import { type SortBy, Table } from './table.js';
import {
  bottomUp,
  exactSums,
  focused,
  pathHashes,
  sandwich,
  sumFunctions,
  type Tree,
  topDown,
} from './trees.js';

const byId = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T;
const keyOf = (fn: number) => `${nameOf(fn)} ${placeOf(fn)}`;
const isDark = () => matchMedia('(prefers-color-scheme: dark)').matches;

const state: State = readState();
/** Top down, of the stacks that are looked at; everything else is made of it. */
let tree: Tree;
let found: Uint8Array | undefined;

const events = {
  hover: (graph: Graph, frame: number) => describe(graph, frame === -1 ? graph.selected : frame),
  select: (graph: Graph, frame: number) => select(graph, frame),
  zoom: (graph: Graph, frame: number) => zoomTo(graph, frame),
};
const main = new Graph(byId('graph'), false, events);
const callers = new Graph(byId('callers'), true, events);
const table = new Table((fn) => {
  state.fn = keyOf(fn);
  state.view = 'sandwich';
  state.zoom = 0;
  show();
});

function zoomTo(graph: Graph, frame: number): void {
  graph.zoom(frame);
  graph.reveal(frame);
  if (graph !== main) return;
  state.zoom = frame === 0 ? 0 : pathHashes(graph.tree!, keyOf)[frame]!;
  byId<HTMLButtonElement>('reset').disabled = frame === 0;
  writeState(state);
}

function select(graph: Graph, frame: number): void {
  for (const each of [main, callers]) {
    each.selected = each === graph ? frame : -1;
    each.draw();
  }
  describe(graph, frame);
}

let described: { graph: Graph; frame: number } | undefined;

function describe(graph: Graph, frame: number): void {
  const details = byId('details');
  const { tree: shown } = graph;
  described = frame > 0 || (frame === 0 && state.view === 'sandwich') ? { graph, frame } : undefined;
  for (const id of ['copy', 'stack', 'focus']) byId<HTMLButtonElement>(id).disabled = described === undefined;
  linkToHolders();
  if (shown === undefined || frame === -1) {
    details.textContent = 'Point at a frame; click to zoom.';
    return;
  }
  const { type } = state;
  const fn = shown.fn[frame]!;
  const now = shown.now[frame]!;
  const above = frame === 0 ? 0 : shown.now[shown.parent[frame]!]!;
  const parts = [
    `${format(now, type)} (${share(now, tree.now[0]!)}${frame === 0 ? '' : `, ${share(now, above)} of its caller`})`,
  ];
  if (shown.own[frame]! > 0 && state.view === 'down') parts.push(`${format(shown.own[frame]!, type)} itself`);
  const error = errorValues[type]![fn]!;
  if (error > 0 && frame > 0) parts.push(`±${format(error, type)} in all of this function`);
  if (payload.diff) {
    const change = now - shown.base[frame]!;
    parts.push(
      `${change > 0 ? '+' : ''}${format(change, type)} since the base profile (${format(shown.base[frame]!, type)})`,
    );
  }
  const name = document.createElement('b');
  name.textContent = frame === 0 && state.view !== 'sandwich' ? 'all' : nameOf(fn);
  const place = document.createElement('span');
  place.textContent = frame === 0 && state.view !== 'sandwich' ? '' : ` ${placeOf(fn)}`;
  details.replaceChildren(name, place, ` · ${parts.join(' · ')}`);
}

/** Sets `found` to the functions that match, and says how much they make up. */
function search(): void {
  const term = state.search.trim();
  let pattern: RegExp | undefined;
  try {
    if (term !== '') pattern = new RegExp(term, 'i');
  } catch {} // Then it is just text.
  const plain = term.toLowerCase();
  found =
    term === ''
      ? undefined
      : Uint8Array.from({ length: FUNCTIONS }, (_, fn) => {
          const text = keyOf(fn);
          return Number(text.toLowerCase().includes(plain) || pattern?.test(text) === true);
        });
}

function tellFound(all: Tree): void {
  if (found === undefined) {
    byId('found').textContent = '';
    return;
  }
  // Of frames one above the other, the outermost has all.
  const inFound = new Uint8Array(all.fn.length);
  let sum = 0;
  let frames = 0;
  for (let at = 1; at < all.fn.length; at++) {
    const matches = found[all.fn[at]!] === 1;
    if (matches && all.now[at]! > 0) frames++;
    if (matches && inFound[all.parent[at]!] === 0) sum += all.now[at]!;
    inFound[at] = matches || inFound[all.parent[at]!] === 1 ? 1 : 0;
  }
  byId('found').textContent =
    `${format(sum, state.type)} (${share(sum, all.now[0]!)}) in ${frames.toLocaleString('en')} frames`;
}

const functionKeys = Array.from({ length: FUNCTIONS }, (_, fn) => keyOf(fn));

function show(): void {
  const { type, width } = state;
  search();
  const all = topDown(type, width);
  tellFound(all);
  const matching = found;
  tree = state.only && matching !== undefined ? focused(type, width, (fn) => matching[fn] === 1) : all;
  const sums = (tree === all ? exactSums(type) : undefined) ?? sumFunctions(tree, FUNCTIONS);
  let fn = functionKeys.indexOf(state.fn);
  if (state.view === 'sandwich' && fn === -1) {
    fn = sums.flat.reduce((best, value, at) => (value > sums.flat[best]! ? at : best), 0);
    state.fn = keyOf(fn);
  }
  const isSandwich = state.view === 'sandwich';
  document.body.classList.toggle('sandwich', isSandwich);
  byId('callers').hidden = !isSandwich;
  for (const title of document.querySelectorAll<HTMLElement>('.half')) title.hidden = !isSandwich;
  let shown: Tree = tree;
  if (isSandwich) {
    const both = sandwich(tree, fn, width);
    shown = both.callees;
    callers.found = found;
    callers.show(both.callers, 0);
  } else if (state.view === 'up') shown = bottomUp(tree, width);
  main.found = found;
  const zoom = state.zoom === 0 ? 0 : Math.max(0, pathHashes(shown, keyOf).indexOf(state.zoom));
  main.show(shown, zoom);
  byId<HTMLButtonElement>('reset').disabled = zoom === 0;
  table.show(sums, {
    type,
    total: tree.now[0]!,
    sort: state.sort,
    found,
    selected: isSandwich ? fn : -1,
    dark: isDark(),
  });
  byId('total').textContent = format(tree.now[0]!, type);
  byId('empty').hidden = tree.weight[0]! > 0;
  byId('views').hidden = tree.weight[0] === 0;
  legend(sums.flat);
  notes(shown);
  reflect();
  describe(main, main.selected);
  writeState(state);
}

function notes(shown: Tree): void {
  const said = [...payload.remarks];
  const { pruned, prunedBelow, cut, deepest } = payload;
  if (pruned > 0)
    said.push(
      `${pruned.toLocaleString('en')} frames, each below ${share(prunedBelow, 1)} of everything, are added up as “(too small)” in the graph.`,
    );
  if (cut > 0)
    said.push(`${cut} stacks are cut to the ${deepest.toLocaleString('en')} frames next to the root.`);
  if (shown.cut) said.push('This view has too many frames: the deepest are left out.');
  byId('notes').textContent = said.join(' ');
  byId('notes').hidden = said.length === 0;
}

const LEGEND = 8;

function legend(flat: Float64Array): void {
  const box = byId('legend');
  const dark = isDark();
  if (payload.diff) {
    const kinds: [string, number, number][] = [
      ['new', 1, 0],
      ['more', 2, 1],
      ['same', 1, 1],
      ['less', 1, 2],
    ];
    box.replaceChildren(...kinds.map(([name, now, base]) => entry(name, changeColor(now, base, dark))));
    return;
  }
  const totals = new Map<Category, number>();
  for (let fn = 0; fn < FUNCTIONS; fn++) {
    const category = categories[fn]!;
    totals.set(category, (totals.get(category) ?? 0) + flat[fn]!);
  }
  const sorted = [...totals].filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
  const entries = sorted
    .slice(0, LEGEND)
    .map(([category, value]) =>
      entry(`${category.name} ${share(value, tree.now[0]!)}`, colorOf(category, dark)),
    );
  if (sorted.length > LEGEND) entries.push(entry(`${sorted.length - LEGEND} more packages`, 'transparent'));
  box.replaceChildren(...entries);
}

function entry(text: string, color: string): HTMLElement {
  const item = document.createElement('li');
  const mark = document.createElement('i');
  mark.style.background = color;
  item.append(mark, text);
  return item;
}

/** Makes the controls say what the state is. */
function reflect(): void {
  byId<HTMLSelectElement>('types').value = String(state.type);
  byId<HTMLSelectElement>('widths').value = state.width;
  byId<HTMLSelectElement>('sort').value = state.sort;
  byId<HTMLSelectElement>('reload').value = String(state.reload);
  byId<HTMLInputElement>('only').checked = state.only;
  const field = byId<HTMLInputElement>('search');
  if (field.value !== state.search) field.value = state.search;
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-view]'))
    button.setAttribute('aria-pressed', String(button.dataset.view === state.view));
}

function setView(view: View): void {
  state.view = view;
  state.zoom = 0;
  show();
}

/** What holds the memory of the function that is described; only a running program can tell. */
function linkToHolders(): void {
  const link = byId<HTMLAnchorElement>('why');
  link.hidden = payload.why === undefined || described === undefined;
  if (payload.why === undefined || described === undefined) return;
  const site = keyOf(described.graph.tree!.fn[described.frame]!).trim();
  const pattern = `^${site.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`;
  link.href = `${payload.why}site=${encodeURIComponent(pattern)}`;
}

function toFunction(): void {
  if (described === undefined) return;
  state.fn = keyOf(described.graph.tree!.fn[described.frame]!);
  setView('sandwich');
}

async function copy(text: string, button: string): Promise<void> {
  const { textContent } = byId(button);
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // From a file, or over http to another machine, there is no clipboard.
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    done = document.execCommand('copy');
    field.remove();
  }
  byId(button).textContent = done ? 'Copied' : 'Cannot copy';
  setTimeout(() => {
    byId(button).textContent = textContent;
  }, 1000);
}

function copyPlace(): void {
  if (described === undefined) return;
  const fn = described.graph.tree!.fn[described.frame]!;
  void copy(placeOf(fn) || nameOf(fn), 'copy');
}

function copyStack(): void {
  if (described === undefined) return;
  const { graph, frame } = described;
  const lines: string[] = [];
  for (let at = frame; at > 0; at = graph.tree!.parent[at]!)
    lines.push(`${nameOf(graph.tree!.fn[at]!)} ${placeOf(graph.tree!.fn[at]!)}`.trim());
  void copy(lines.join('\n'), 'stack');
}

/** Arrow keys go from frame to frame. */
function move(key: string): void {
  const graph = main;
  const shown = graph.tree!;
  const at = graph.selected === -1 ? graph.zoomed : graph.selected;
  let to = -1;
  if (key === 'ArrowDown') to = shown.firstChild[at]!;
  if (key === 'ArrowUp') to = shown.parent[at]!;
  if (key === 'ArrowRight') to = shown.nextSibling[at]!;
  if (key === 'ArrowLeft' && at > 0) {
    for (
      let each = shown.firstChild[shown.parent[at]!]!;
      each !== -1 && each !== at;
      each = shown.nextSibling[each]!
    )
      to = each;
  }
  if (to === -1 || shown.weight[to] === 0) return;
  select(graph, to);
  graph.reveal(to);
}

function onKey(event: KeyboardEvent): void {
  const { key, target } = event;
  if (key === 'Escape') {
    if (state.search !== '') state.search = '';
    state.zoom = 0;
    (document.activeElement as HTMLElement | null)?.blur();
    show();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
  if (key === '/') {
    event.preventDefault();
    byId('search').focus();
  } else if (key === '1') setView('down');
  else if (key === '2') setView('up');
  else if (key === '3') setView('sandwich');
  else if (key === 'c') copyPlace();
  else if (key === 'f') toFunction();
  else if (key === '?') byId<HTMLDialogElement>('help').showModal();
  else if (key.startsWith('Arrow') && document.activeElement === main.canvas) {
    event.preventDefault();
    move(key);
  } else if (key === 'Enter' && document.activeElement === main.canvas && main.selected !== -1) {
    zoomTo(main, main.selected);
  }
}

function listen(): void {
  const types = byId<HTMLSelectElement>('types');
  types.append(...payload.types.map(({ type }, at) => new Option(LABELS[type] ?? type, String(at))));
  const on = (id: string, event: string, act: () => void) => byId(id).addEventListener(event, act);
  on('types', 'change', () => {
    state.type = Number(types.value);
    show();
  });
  on('widths', 'change', () => {
    state.width = byId<HTMLSelectElement>('widths').value === 'base' ? 'base' : 'now';
    show();
  });
  on('sort', 'change', () => {
    state.sort = byId<HTMLSelectElement>('sort').value as SortBy;
    show();
  });
  on('only', 'change', () => {
    state.only = byId<HTMLInputElement>('only').checked;
    show();
  });
  let typing: ReturnType<typeof setTimeout> | undefined;
  on('search', 'input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      state.search = byId<HTMLInputElement>('search').value;
      show();
    }, 120);
  });
  on('reset', 'click', () => zoomTo(main, 0));
  on('copy', 'click', copyPlace);
  on('stack', 'click', copyStack);
  on('focus', 'click', toFunction);
  on('keys', 'click', () => byId<HTMLDialogElement>('help').showModal());
  on('reload', 'change', () => {
    state.reload = Number(byId<HTMLSelectElement>('reload').value);
    writeState(state);
    schedule();
  });
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-view]'))
    button.addEventListener('click', () => setView(button.dataset.view as View));
  addEventListener('keydown', onKey);
  addEventListener('hashchange', () => {
    Object.assign(state, readState());
    show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
}

const LABELS: Record<string, string> = {
  inuse_space: 'In use (bytes)',
  inuse_objects: 'In use (objects)',
  alloc_space: 'Allocated (bytes)',
  alloc_objects: 'Allocated (objects)',
};

let reloading: ReturnType<typeof setTimeout> | undefined;
function schedule(): void {
  clearTimeout(reloading);
  if (payload.live && state.reload > 0) reloading = setTimeout(() => location.reload(), state.reload * 1000);
}

byId('live').hidden = !payload.live;
byId('differences').hidden = !payload.diff;
document.querySelector<HTMLOptionElement>('#sort [value=change]')!.hidden = !payload.diff;
byId('middle').textContent = payload.diff ? 'Change' : '±';
listen();
show();
schedule();

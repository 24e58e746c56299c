// Draws a tree on a canvas, as wide as the window and as high as the part that is seen. Rows are scrolled to.
import { changeColor, functionColor } from './categories.js';
import { nameOf, payload } from './data.js';
import type { Tree } from './trees.js';

const ROW = 20;
/** Narrower frames are not drawn, nor what they call. */
const NARROWEST = 0.4;
const FOUND = 'hsl(300 85% 62%)';
const FOUND_DARK = 'hsl(300 55% 38%)';

export interface GraphEvents {
  hover(graph: Graph, frame: number): void;
  select(graph: Graph, frame: number): void;
  zoom(graph: Graph, frame: number): void;
}

export class Graph {
  tree: Tree | undefined;
  /** The frame that has the whole width. */
  zoomed = 0;
  selected = -1;
  hovered = -1;
  /** Whether a function was found, if anything is searched for. */
  found: Uint8Array | undefined;
  /** Frames that were too narrow to draw, with what they call. */
  narrow = 0;
  readonly #box: HTMLElement;
  readonly #space: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly #upward: boolean;
  #frame = 0;

  /** `upward`: the root is at the bottom. */
  constructor(box: HTMLElement, upward: boolean, events: GraphEvents) {
    this.#box = box;
    this.#upward = upward;
    this.canvas = box.querySelector('canvas')!;
    this.#space = box.querySelector('.space')!;
    box.addEventListener('scroll', () => this.draw(), { passive: true });
    this.canvas.addEventListener('mousemove', (event) => {
      const at = this.#frameAt(event);
      if (at === this.hovered) return;
      this.hovered = at;
      events.hover(this, at);
      this.draw();
    });
    this.canvas.addEventListener('mouseleave', () => {
      this.hovered = -1;
      events.hover(this, -1);
      this.draw();
    });
    this.canvas.addEventListener('click', (event) => {
      const at = this.#frameAt(event);
      if (at === -1) return;
      events.select(this, at);
      if (at !== this.zoomed) events.zoom(this, at);
    });
    new ResizeObserver(() => {
      if (upward) box.scrollTop = box.scrollHeight;
      this.draw();
    }).observe(box);
  }

  show(tree: Tree, zoomed: number): void {
    this.tree = tree;
    this.hovered = -1;
    this.selected = -1;
    this.zoom(zoomed);
    this.#box.scrollTop = this.#upward ? this.#box.scrollHeight : 0;
  }

  zoom(frame: number): void {
    this.zoomed = frame;
    const tree = this.tree!;
    let deepest = tree.depth[frame]!;
    // Only what is below the frame can be scrolled to.
    for (const at of this.#below(frame, 0)) if (tree.depth[at]! > deepest) deepest = tree.depth[at]!;
    this.#space.style.height = `${(deepest + 1) * ROW}px`;
    this.draw();
  }

  /** Scrolls so that the frame is seen. */
  reveal(frame: number): void {
    const top = this.#top(this.tree!.depth[frame]!);
    const { scrollTop, clientHeight } = this.#box;
    if (top < scrollTop) this.#box.scrollTop = top - ROW;
    else if (top + ROW > scrollTop + clientHeight) this.#box.scrollTop = top + 2 * ROW - clientHeight;
  }

  draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#drawNow());
  }

  get #rows(): number {
    return Number.parseFloat(this.#space.style.height) / ROW;
  }

  #top(depth: number): number {
    return this.#upward
      ? Math.max(this.#space.offsetHeight, this.#box.clientHeight) - (depth + 1) * ROW
      : depth * ROW;
  }

  /** Frames below one that are wide enough, callers first. */
  *#below(frame: number, narrowest: number): Iterable<number> {
    const tree = this.tree!;
    const scale = this.#box.clientWidth / Math.max(tree.weight[frame]!, Number.MIN_VALUE);
    this.narrow = 0;
    const open = [frame];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (let child = tree.firstChild[at]!; child !== -1; child = tree.nextSibling[child]!) {
        const width = tree.weight[child]! * scale;
        if (width <= narrowest) {
          if (width > 0) this.narrow++;
          break; // The others are narrower.
        }
        yield child;
        open.push(child);
      }
    }
  }

  #drawNow(): void {
    const tree = this.tree;
    if (tree === undefined) return;
    const { clientWidth: width, clientHeight: height, scrollTop } = this.#box;
    const ratio = devicePixelRatio;
    const { canvas } = this;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const context = canvas.getContext('2d')!;
    const style = getComputedStyle(document.documentElement);
    const dark = style.getPropertyValue('--dark').trim() === '1';
    const text = dark ? '#fff' : '#1a1a1a';
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    const space = Math.max(this.#rows * ROW, height);
    const origin = tree.left[this.zoomed]!;
    const scale = width / Math.max(tree.weight[this.zoomed]!, Number.MIN_VALUE);
    const letter = context.measureText('abcdefghijklmnopqrstuvwxyz').width / 26;

    const drawFrame = (at: number, x: number, wide: number, faded: boolean) => {
      const row = tree.depth[at]!;
      const y = (this.#upward ? space - (row + 1) * ROW : row * ROW) - scrollTop;
      if (y < -ROW || y > height) return;
      const fn = tree.fn[at]!;
      const isFound = this.found?.[fn] === 1;
      context.globalAlpha = faded || (this.found !== undefined && !isFound) ? 0.45 : 1;
      context.fillStyle = isFound
        ? dark
          ? FOUND_DARK
          : FOUND
        : payload.diff
          ? changeColor(tree.now[at]!, tree.base[at]!, dark)
          : functionColor(fn, dark);
      context.fillRect(x, y, Math.max(wide - (wide > 3 ? 1 : 0), NARROWEST), ROW - 1);
      context.globalAlpha = 1;
      if (at === this.selected || at === this.hovered) {
        context.strokeStyle = text;
        context.lineWidth = at === this.selected ? 2 : 1;
        context.strokeRect(x + 1, y + 1, Math.max(1, wide - 3), ROW - 3);
      }
      const letters = Math.floor((wide - 8) / letter);
      if (letters < 2) return;
      const name = at === 0 && fn === payload.frames[0] ? 'all' : nameOf(fn);
      context.fillStyle = text;
      context.fillText(
        name.length > letters ? `${name.slice(0, Math.max(1, letters - 1))}…` : name,
        x + 4,
        y + ROW / 2,
        wide - 6,
      );
    };

    for (let at = this.zoomed; at !== -1; at = tree.parent[at]!) drawFrame(at, 0, width, at !== this.zoomed);
    for (const at of this.#below(this.zoomed, NARROWEST)) {
      drawFrame(at, (tree.left[at]! - origin) * scale, tree.weight[at]! * scale, false);
    }
  }

  #frameAt({ offsetX, offsetY }: MouseEvent): number {
    const tree = this.tree;
    if (tree === undefined) return -1;
    const { clientWidth: width, clientHeight: height, scrollTop } = this.#box;
    const space = Math.max(this.#rows * ROW, height);
    const y = offsetY + scrollTop;
    const row = Math.floor((this.#upward ? space - y : y) / ROW);
    let at = this.zoomed;
    if (row <= tree.depth[at]!) {
      while (at > 0 && tree.depth[at]! > row) at = tree.parent[at]!;
      return row < 0 ? -1 : at;
    }
    const value = tree.left[at]! + (offsetX / width) * tree.weight[at]!;
    while (at !== -1 && tree.depth[at]! < row) {
      let child = tree.firstChild[at]!;
      while (child !== -1 && value >= tree.left[child]! + tree.weight[child]!)
        child = tree.nextSibling[child]!;
      at = child !== -1 && tree.weight[child]! > 0 ? child : -1;
    }
    return at;
  }
}

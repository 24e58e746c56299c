// The address keeps what is shown, so that a link shows the same view to everybody who opens it.
import { payload } from './data.js';
import type { SortBy } from './table.js';
import type { WidthOf } from './trees.js';

export const views = ['down', 'up', 'sandwich'] as const;
export type View = (typeof views)[number];

export interface State {
  type: number;
  view: View;
  /** Number of the path that is zoomed to; 0 for the root. */
  zoom: number;
  search: string;
  /** Whether only stacks with a match are shown. */
  only: boolean;
  /** The function of the sandwich and of the details: its name and place. */
  fn: string;
  sort: SortBy;
  width: WidthOf;
  /** Seconds after which the page is loaded again; 0 for never. */
  reload: number;
}

export function readState(): State {
  const from = new URLSearchParams(location.hash.slice(1));
  const type = payload.types.findIndex((each) => each.type === from.get('type'));
  const number = (name: string) => Math.max(0, Number(from.get(name)) || 0);
  const view = views.find((each) => each === from.get('view')) ?? 'down';
  const sort = (['flat', 'cum', 'name', 'change'] as const).find((each) => each === from.get('sort'));
  return {
    type: type === -1 ? payload.type : type,
    view,
    zoom: number('zoom'),
    search: from.get('q') ?? '',
    only: from.get('only') === '1',
    fn: from.get('fn') ?? '',
    sort: sort ?? (payload.diff ? 'change' : 'flat'),
    width: from.get('width') === 'base' && payload.diff ? 'base' : 'now',
    reload: number('reload'),
  };
}

export function writeState(state: State): void {
  const to = new URLSearchParams({ type: payload.types[state.type]!.type });
  if (state.view !== 'down') to.set('view', state.view);
  if (state.zoom !== 0) to.set('zoom', String(state.zoom));
  if (state.search !== '') to.set('q', state.search);
  if (state.only) to.set('only', '1');
  if (state.fn !== '') to.set('fn', state.fn);
  if (state.sort !== (payload.diff ? 'change' : 'flat')) to.set('sort', state.sort);
  if (state.width !== 'now') to.set('width', state.width);
  if (state.reload !== 0) to.set('reload', String(state.reload));
  history.replaceState(null, '', `#${to}`);
}

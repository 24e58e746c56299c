// What the page gets from memprof, as lib/flame/data.ts makes it.

import type { Payload } from './payload.js';

export const payload = JSON.parse(document.getElementById('profile')!.textContent!) as Payload;

export const TYPES = payload.types.length;
export const FUNCTIONS = payload.functions.length / 3;
export const FRAMES = payload.frames.length;

export const nameOf = (fn: number) => payload.names[payload.functions[3 * fn]!]!;
export const fileOf = (fn: number) => payload.files[payload.functions[3 * fn + 1]!]!;
export const lineOf = (fn: number) => payload.functions[3 * fn + 2]!;

/** `/app/server.js:35`. */
export function placeOf(fn: number): string {
  const file = fileOf(fn);
  const line = lineOf(fn);
  return file === '' || line === 0 ? file : `${file}:${line}`;
}

export const parents = Int32Array.from(payload.callers, (distance, at) => at - distance);
parents[0] = -1;

/** A sparse list of rows of values, spread over `length` rows: one array for each type. */
export function spread(at: readonly number[], values: readonly number[], length: number): Float64Array[] {
  const columns = payload.types.map(() => new Float64Array(length));
  let row = 0;
  for (let i = 0; i < at.length; i++) {
    row += at[i]!;
    for (let type = 0; type < TYPES; type++) columns[type]![row] = values[i * TYPES + type]!;
  }
  return columns;
}

const positive = (columns: Float64Array[]) =>
  columns.map((column) => column.map((value) => Math.max(0, value)));
export const ownValues = positive(spread(payload.ownAt, payload.own, FRAMES));
export const baseValues = positive(spread(payload.baseAt, payload.base, FRAMES));
export const errorValues = spread(payload.errorAt, payload.errors, FUNCTIONS);

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Three digits: `12.3 MB`; counts have all of theirs. */
export function format(value: number, type: number): string {
  if (payload.types[type]!.unit !== 'bytes') return Math.round(value).toLocaleString('en');
  const sign = value < 0 ? '−' : '';
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${sign}${unit === 0 ? Math.round(size) : size.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0)} ${UNITS[unit]}`;
}

export function share(value: number, total: number): string {
  const percent = total === 0 ? 0 : (100 * value) / total;
  if (percent === 0) return '0 %';
  return `${Math.abs(percent) >= 1 ? percent.toFixed(1) : Number(percent.toPrecision(1))} %`;
}

// How profiles name a function, in all formats. native/encode/frame_text.cc does the same for what C++ writes.

/** A path's last part, without the brackets of `[eval]`; the names that Node.js gives its own modules (`node:fs`) stay whole. */
function fileLabel(fileName: string): string {
  if (fileName.startsWith('node:')) return fileName;
  if (fileName.startsWith('data:')) return 'data:';
  const file = fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1);
  // Go's tools take names with brackets for C++, and remove what is in parentheses: `[eval]`, `evalmachine.<anonymous>`.
  return file.replace(/^\[(.+)\]$/s, '$1').replace(/\.<anonymous>$/, '');
}

/**
 * The name of a function that V8 calls `name`. Most callbacks have none, so their place stands in for it:
 * `(anonymous server.js:35)`. The code of a file outside of functions is `(module server.js)`, that of an `eval` is `(eval)`, and
 * V8's own functions are `(builtin map)`.
 *
 * The function starts at `line` and `column`, 1-based. Give column 0 where the line is that of a call.
 */
export function functionLabel(name: string, fileName: string, line: number, column: number): string {
  if (name !== '') {
    return fileName === '' && line <= 0 && !name.startsWith('(') ? `(builtin ${name})` : name;
  }
  const isWhole = line === 1 && column === 1;
  if (fileName === '') {
    if (line <= 0) return NAMELESS;
    return isWhole ? '(eval)' : `(anonymous eval:${line})`;
  }
  const file = fileLabel(fileName);
  if (isWhole) return `(module ${file})`;
  return line > 0 ? `(anonymous ${file}:${line})` : `(anonymous ${file})`;
}

/** The name of a function of which not even the place is known. */
export const NAMELESS = '(anonymous)';

/** The label of the same function at its place in the sources. */
export function labelInSources(label: string, fileName: string, line: number): string {
  const isWhole = label.startsWith('(module ') || label === '(eval)';
  return functionLabel('', fileName, isWhole ? 1 : line, isWhole ? 1 : 0);
}

/** The label without its place, for tables that show the place beside it. */
export function withoutPlace(label: string): string {
  const kind = /^\((anonymous|module) (?!namespace\)).*\)$/.exec(label)?.[1];
  return kind === undefined ? label : `(${kind})`;
}

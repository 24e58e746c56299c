import Module from 'node:module';

/**
 * Code that is transpiled while it is loaded is on no disk, and its map is a comment at its end. Whatever transpiles it
 * (`@babel/register`, `@swc-node/register`, `ts-node`) gives the result to `Module.prototype._compile`: that is where it is
 * seen here. V8 tells the map of a script to nobody but an inspector, and the load hooks of `node:module` run before those
 * tools do.
 */

const MAX_FILES = 10_000;
const COMMENT = 'sourceMappingURL=data:';

// V8 keeps the texts anyway, for as long as their functions live.
const codeWithMap = new Map<string, string>();

type Compile = (this: unknown, code: unknown, fileName: unknown, ...rest: unknown[]) => unknown;

const prototype = (Module as unknown as { prototype: { _compile?: Compile } }).prototype;
let watching = false;

/** From here on, what is compiled as CommonJS with a map in it is remembered. */
export function watchCompiledCode(): void {
  const original = prototype._compile;
  if (watching || typeof original !== 'function') return;
  watching = true;
  prototype._compile = function _compile(code, fileName, ...rest) {
    if (typeof code === 'string' && typeof fileName === 'string') note(code, fileName);
    return Reflect.apply(original, this, [code, fileName, ...rest]);
  };
}

function note(code: string, fileName: string): void {
  if (!hasMap(code)) codeWithMap.delete(fileName);
  else if (codeWithMap.size < MAX_FILES) codeWithMap.set(fileName, code);
}

/** A map is one line, and one of the last. */
function hasMap(code: string): boolean {
  for (let lines = 0, end = code.length; lines < 3 && end > 0; lines++) {
    const start = code.lastIndexOf('\n', end - 1) + 1;
    if (code.startsWith('//', start) && code.slice(start, start + 32).includes(COMMENT)) return true;
    end = start - 1;
  }
  return false;
}

/** What was compiled of a file, if a map was in it. */
export function compiledCode(fileName: string): string | undefined {
  return codeWithMap.get(fileName);
}

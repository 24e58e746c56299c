/**
 * Makes an object end at the end of a `using` block. Node.js before 20.4 has no such symbols: there it stays as it is.
 */
export function disposable<T extends object>(resource: T, end: () => void): T & Disposable {
  return withMethod(resource, Symbol.dispose, end) as T & Disposable;
}

/** The same for `await using`. */
export function asyncDisposable<T extends object>(
  resource: T,
  end: () => Promise<void>,
): T & AsyncDisposable {
  return withMethod(resource, Symbol.asyncDispose, end) as T & AsyncDisposable;
}

function withMethod(resource: object, symbol: symbol | undefined, value: () => unknown): object {
  return symbol === undefined ? resource : Object.defineProperty(resource, symbol, { value });
}

/** Returns a function that calls `load` once, at its first call: code that most programs never need must not slow start-up. */
export function lazily<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

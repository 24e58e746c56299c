/** Gives what `load` gives, loaded at the first call: what most programs never need must not cost at start-up. */
export function lazily<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

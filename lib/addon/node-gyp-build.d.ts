declare module 'node-gyp-build' {
  /** Where the best binary of the package in `root` is: built here, or prebuilt. Throws when there is none. */
  export function path(root: string): string;
}

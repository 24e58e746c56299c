declare module 'node-gyp-build' {
  /** Loads the best binary of the package in `root`. */
  export default function load(root: string): unknown;
}

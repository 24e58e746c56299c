/** In the environment of `countObjects`'s child, and of what that starts: nothing profiles itself there, and no child has a child. */
export const CHILD_MARK = 'MEMPROF_BENCH_CHILD';

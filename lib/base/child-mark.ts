/**
 * This variable is set in the child process of `countObjects`, and inherited by what the child starts. Processes that have
 * it do not profile themselves, and cannot call `countObjects`.
 */
export const CHILD_MARK = 'MEMPROF_BENCH_CHILD';

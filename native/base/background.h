// A thread of the process for work that needs no isolate and must not hold up the program.
//
// Thread safety: any thread may call these. Nothing takes a lock, so they may be called in a GC.
//
// Invariants:
// (1) There is one thread at most. It is never ended, and takes no signals.
// (2) Nobody may wait for the work: where the system gives the thread no processor, or in a child process made by
//     fork(), which has no such thread, it is never done.

#ifndef MEMPROF_NATIVE_BASE_BACKGROUND_H_
#define MEMPROF_NATIVE_BASE_BACKGROUND_H_

#include <cstdint>
#include <functional>

namespace memprof {

// Starts the thread, at the first call. Returns false where there can be none.
bool StartBackground();
// Works are run one after another, in the order in which they came. REQUIRES: `StartBackground` returned true.
void RunInBackground(std::function<void()> work);
// The thread's CPU time, as of the last work that it has done.
uint64_t BackgroundCpuNs();

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_BACKGROUND_H_

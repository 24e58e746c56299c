// Tells whether somebody else's CPU profiler is at work in this process. V8 works on each running CPU profile
// on a thread of its own, which has a name. A thread of that name that is none of ours is somebody else's:
// the inspector's, `--cpu-prof`, or a profiler that was loaded.
//
// Thread safety: all functions may be called from any thread. Linux only; elsewhere it is never known.

#ifndef MEMPROF_NATIVE_HEAP_CPU_PROFILER_THREADS_H_
#define MEMPROF_NATIVE_HEAP_CPU_PROFILER_THREADS_H_

#include <cstdint>

namespace memprof {

enum class OtherProfilers { kNone, kSome, kUnknown };

// Whose names are read: a thread that had another name for a while when it was looked at last keeps it, most likely. Each
// 16th look reads all of them anyway.
enum class ThreadNames { kOfNew, kOfAll };

// While it exists, no other thread starts or stops one of our profiles, and what it tells stays true for ours.
class CpuProfilerThreads {
 public:
  // With `wait` false it does not wait for another thread that holds the lock; `locked` then is false.
  explicit CpuProfilerThreads(bool wait);
  ~CpuProfilerThreads();
  CpuProfilerThreads(const CpuProfilerThreads&) = delete;
  CpuProfilerThreads& operator=(const CpuProfilerThreads&) = delete;
  bool locked() const { return locked_; }

  // The rest REQUIRES `locked`.
  OtherProfilers Look(ThreadNames names);
  // Our profile was started just now. Returns its thread, or 0 if it cannot be told.
  int64_t Started();
  // Our profile was stopped.
  void Stopped(int64_t thread);

 private:
  bool locked_;
};

// The CPU time that the thread has used; 0 if unknown.
uint64_t CpuNsOfThread(int64_t thread);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CPU_PROFILER_THREADS_H_

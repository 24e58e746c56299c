#include "base/clocks.h"

#include <time.h>

#include <chrono>

namespace memprof {

namespace {

template <typename Clock>
uint64_t SinceEpochNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

uint64_t MonotonicNs() { return SinceEpochNs<std::chrono::steady_clock>(); }

uint64_t WallNs() { return SinceEpochNs<std::chrono::system_clock>(); }

uint64_t ThreadCpuNs() {
#ifdef CLOCK_THREAD_CPUTIME_ID
  timespec now;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0) {
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  }
#endif
  return MonotonicNs();
}

}  // namespace memprof

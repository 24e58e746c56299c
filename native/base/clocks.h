#ifndef MEMPROF_NATIVE_BASE_CLOCKS_H_
#define MEMPROF_NATIVE_BASE_CLOCKS_H_

#include <cstdint>

namespace memprof {

uint64_t MonotonicNs();
// 0 where `to_ns` is the smaller one: a clock that went back must not look like centuries.
inline uint64_t Elapsed(uint64_t from_ns, uint64_t to_ns) { return to_ns > from_ns ? to_ns - from_ns : 0; }
// Since 1970.
uint64_t WallNs();
// CPU time of the calling thread; `MonotonicNs` where the system does not measure it.
uint64_t ThreadCpuNs();

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_CLOCKS_H_

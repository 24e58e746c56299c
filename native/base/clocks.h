#ifndef MEMPROF_NATIVE_CLOCKS_H_
#define MEMPROF_NATIVE_CLOCKS_H_

#include <cstdint>

namespace memprof {

uint64_t MonotonicNs();
// Since 1970.
uint64_t WallNs();
// CPU time of the calling thread; wall time where the system does not tell.
uint64_t ThreadCpuNs();

}  // namespace memprof

#endif  // MEMPROF_NATIVE_CLOCKS_H_

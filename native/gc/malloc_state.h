// What the C library's malloc has taken from the system, and how much of it is free.
//
// Thread safety: may be called from any thread. glibc looks at every free chunk of an arena while it holds the
// arena's lock, which may take tens of milliseconds in a badly fragmented one; who allocates there waits.

#ifndef MEMPROF_NATIVE_GC_MALLOC_STATE_H_
#define MEMPROF_NATIVE_GC_MALLOC_STATE_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace memprof {

struct MallocArena {
  uint64_t system = 0;  // bytes taken from the system
  uint64_t free = 0;    // of it, bytes of free chunks
};

struct MallocState {
  const char* problem = nullptr;  // why nothing is known
  std::vector<MallocArena> arenas;
  uint64_t mapped = 0;  // bytes of large chunks, each mapped for itself
};

MallocState ReadMallocState();
// Of what glibc's `malloc_info` writes. Declared for tests.
MallocState ParseMallocInfo(std::string_view xml);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_GC_MALLOC_STATE_H_

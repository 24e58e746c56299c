// Reads memory of this process that may not be there. It never faults: where nothing can be read it says so.
//
// Thread safety: all functions may be called from any thread at any time.

#ifndef MEMPROF_NATIVE_HEAP_SAFE_MEMORY_H_
#define MEMPROF_NATIVE_HEAP_SAFE_MEMORY_H_

#include <cstddef>

namespace memprof {

// False when not all of it can be read; `to` may have been written to then. At most `kMostReadable` bytes at
// a time.
constexpr size_t kMostReadable = 4096;
bool ReadMemory(const void* from, void* to, size_t bytes);

template <typename T>
bool ReadMemory(const void* from, T* to) {
  return ReadMemory(from, static_cast<void*>(to), sizeof(T));
}

// The second of the two ways, for tests: where a sandbox forbids the first (`process_vm_readv`), the system
// copies the bytes into a pipe, or says that it cannot.
bool ReadMemoryByPipe(const void* from, void* to, size_t bytes);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SAFE_MEMORY_H_

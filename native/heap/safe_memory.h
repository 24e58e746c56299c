// Reads memory of this process that may not be mapped. A read never faults: it fails where there is no
// memory.
//
// Thread safety: all functions may be called from any thread at any time.

#ifndef MEMPROF_NATIVE_HEAP_SAFE_MEMORY_H_
#define MEMPROF_NATIVE_HEAP_SAFE_MEMORY_H_

#include <cstddef>

namespace memprof {

// Returns false when not all bytes can be read; some may have been written to `to` then. Reads at most
// `kMostReadable` bytes at a time.
constexpr size_t kMostReadable = 4096;
bool ReadMemory(const void* from, void* to, size_t bytes);

template <typename T>
bool ReadMemory(const void* from, T* to) {
  return ReadMemory(from, static_cast<void*>(to), sizeof(T));
}

// Lets the system copy the bytes into a pipe, which fails where there is no memory. `ReadMemory` does so
// where a sandbox forbids its first way, `process_vm_readv`. Declared for tests.
bool ReadMemoryByPipe(const void* from, void* to, size_t bytes);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_SAFE_MEMORY_H_

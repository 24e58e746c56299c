// Where the stack of the calling thread lies.
//
// Thread safety: any thread may call it.

#ifndef MEMPROF_NATIVE_BASE_THREAD_STACK_H_
#define MEMPROF_NATIVE_BASE_THREAD_STACK_H_

#include <cstddef>
#include <cstdint>

namespace memprof {

// Zeros where the system does not say.
struct StackBounds {
  uintptr_t base = 0;  // the highest address
  size_t bytes = 0;
};

// For the main thread, the C library reads /proc/self/maps, which takes milliseconds in a large process.
StackBounds BoundsOfThisStack();

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_THREAD_STACK_H_

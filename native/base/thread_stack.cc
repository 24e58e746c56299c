#include "base/thread_stack.h"

#include "base/old_glibc.h"

#ifdef __linux__
#include <pthread.h>
MEMPROF_OLD_GLIBC(pthread_getattr_np);
MEMPROF_OLD_GLIBC(pthread_attr_getstack);
#endif

namespace memprof {

#ifdef __linux__
StackBounds BoundsOfThisStack() {
  StackBounds bounds;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return bounds;
  void* lowest = nullptr;
  size_t size = 0;
  if (pthread_attr_getstack(&attributes, &lowest, &size) == 0) {
    bounds = {reinterpret_cast<uintptr_t>(lowest) + size, size};
  }
  pthread_attr_destroy(&attributes);
  return bounds;
}
#else
StackBounds BoundsOfThisStack() { return {}; }
#endif

}  // namespace memprof

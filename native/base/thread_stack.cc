#include "base/thread_stack.h"

#ifdef __linux__
#include <pthread.h>
// Newer C libraries moved these two functions and gave them a new version. Ask for the old one, which all of
// them have, so that a binary built here loads wherever Node.js does.
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_getattr_np,pthread_getattr_np@GLIBC_2.2.5");
__asm__(".symver pthread_attr_getstack,pthread_attr_getstack@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_getattr_np,pthread_getattr_np@GLIBC_2.17");
__asm__(".symver pthread_attr_getstack,pthread_attr_getstack@GLIBC_2.17");
#endif
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

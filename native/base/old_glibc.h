// Asks the C library for the version of a function that all supported ones have. Newer C libraries gave some functions
// a new version, and a binary that was built there would not load where Node.js does.

#ifndef MEMPROF_NATIVE_BASE_OLD_GLIBC_H_
#define MEMPROF_NATIVE_BASE_OLD_GLIBC_H_

#include <cstddef>  // defines __GLIBC__ where there is one

#if defined(__GLIBC__) && defined(__x86_64__)
#define MEMPROF_OLD_GLIBC(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5")
#elif defined(__GLIBC__) && defined(__aarch64__)
#define MEMPROF_OLD_GLIBC(name) __asm__(".symver " #name "," #name "@GLIBC_2.17")
#else
#define MEMPROF_OLD_GLIBC(name) static_assert(true)
#endif

#endif  // MEMPROF_NATIVE_BASE_OLD_GLIBC_H_

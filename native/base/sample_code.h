// Keeps the code that runs at a sample together, so that it can be fetched as a whole. Between two samples the
// program evicts our code from the processor's caches. To load it line by line, as it is reached, would take
// longer than to run it.
//
// Thread safety: none is needed.

#ifndef MEMPROF_NATIVE_BASE_SAMPLE_CODE_H_
#define MEMPROF_NATIVE_BASE_SAMPLE_CODE_H_

#include <cstddef>

#include "base/prefetch.h"

#ifdef __ELF__
// The linker names the bounds of a section after it.
#define MEMPROF_SAMPLE_CODE [[gnu::section("memprof_sample_code")]]
extern "C" [[gnu::visibility("hidden")]] const char __start_memprof_sample_code[];
extern "C" [[gnu::visibility("hidden")]] const char __stop_memprof_sample_code[];
#else
#define MEMPROF_SAMPLE_CODE
#endif

namespace memprof {

inline void FetchSampleCode() {
#ifdef __ELF__
  constexpr ptrdiff_t kLine = 64;
  for (const char* at = __start_memprof_sample_code; at < __stop_memprof_sample_code; at += kLine) {
    Prefetch(at);
  }
#endif
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_SAMPLE_CODE_H_

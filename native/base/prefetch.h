// Asks the processor for memory that will soon be read. Any address may be given.
//
// Thread safety: none is needed.

#ifndef MEMPROF_NATIVE_BASE_PREFETCH_H_
#define MEMPROF_NATIVE_BASE_PREFETCH_H_

namespace memprof {

inline void Prefetch(const void* at) {
#ifdef __GNUC__
  __builtin_prefetch(at);
#else
  (void)at;
#endif
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_PREFETCH_H_

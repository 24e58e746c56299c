// Where V8's frames and the code that it generates can lie.
//
// Thread safety: must be called on the isolate's thread.

#ifndef MEMPROF_NATIVE_HEAP_THREAD_RANGES_H_
#define MEMPROF_NATIVE_HEAP_THREAD_RANGES_H_

#include <v8.h>

#include "heap/v8_layout.h"

namespace memprof {

// The stack of this thread. Returns false if the system does not tell its bounds.
bool ReadStackRange(StackRange* range);
CodeRanges ReadCodeRanges(v8::Isolate* isolate);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_THREAD_RANGES_H_

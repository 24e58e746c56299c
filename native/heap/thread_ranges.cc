#include "heap/thread_ranges.h"

#include "base/thread_stack.h"

namespace memprof {

bool ReadStackRange(StackRange* range) {
  StackBounds bounds = BoundsOfThisStack();
  range->low = bounds.base - bounds.bytes;
  range->high = bounds.base;
  return bounds.base != 0 &&
         range->Contain(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) & ~uintptr_t{7});
}

CodeRanges ReadCodeRanges(v8::Isolate* isolate) {
  CodeRanges ranges;
  void* code = nullptr;
  size_t size = 0;
  isolate->GetCodeRange(&code, &size);
  ranges.code = {reinterpret_cast<uintptr_t>(code), reinterpret_cast<uintptr_t>(code) + size};
  const void* embedded = nullptr;
  isolate->GetEmbeddedCodeRange(&embedded, &size);
  ranges.embedded = {reinterpret_cast<uintptr_t>(embedded), reinterpret_cast<uintptr_t>(embedded) + size};
  return ranges;
}

}  // namespace memprof

#include "heap/stack_walk.h"

namespace memprof {

uintptr_t* FindReturn(uintptr_t left_by, const StackRange& stack) {
  constexpr int kMostFrames = 16;  // of V8's own, above it
  uintptr_t frame = left_by;
  uintptr_t* returns = nullptr;
  for (int i = 0; i < kMostFrames && stack.Contain(frame); ++i) {
    auto* words = reinterpret_cast<uintptr_t*>(frame);
    if (words[-1] % 2 != 0) return returns;
    if (words[-1] == kEntryMarker || words[-1] == kConstructEntryMarker || words[0] <= frame) return nullptr;
    returns = words + 1;
    frame = words[0];
  }
  return nullptr;
}

WalkedStack WalkStack(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                      std::span<const uintptr_t*> functions) {
  WalkedStack walked;
  walked.sure = WalkFrames(left_by, stack, code, [&](const uintptr_t* function) {
    functions[walked.frames++] = function;
    return walked.frames != functions.size();
  });
  return walked;
}

}  // namespace memprof

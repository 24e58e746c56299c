#include "heap/stack_walk.h"

namespace memprof {

namespace {

// V8 marks the type of a frame with twice the type's number.
constexpr uintptr_t kEntryMarker = 1 * 2;
constexpr uintptr_t kConstructEntryMarker = 2 * 2;
constexpr ptrdiff_t kLeftByWord = -8;   // in an entry frame
constexpr size_t kMostSteps = 1 << 16;  // more frames than fit on a thread's stack

}  // namespace

WalkedStack WalkStack(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                      std::span<const uintptr_t*> functions) {
  WalkedStack walked;
  if (left_by == 0) return walked;
  if (!stack.Contain(left_by)) return {0, false};
  uintptr_t frame = left_by;
  // Where the frame's callee returns to, which shows whether V8 generated the frame's code. 0 for a frame by
  // which JavaScript left: that code is V8's.
  uintptr_t pc = 0;
  for (size_t step = 0; step < kMostSteps; ++step) {
    auto* words = reinterpret_cast<const uintptr_t*>(frame);
    uintptr_t marker = words[-1];
    uintptr_t next;
    if (marker == kEntryMarker || marker == kConstructEntryMarker) {
      next = words[kLeftByWord];
      pc = 0;
      if (next == 0) return walked;
    } else {
      if (marker % 2 != 0) {
        // A frame by which JavaScript left (`pc` is 0) always has a type marker.
        if (pc == 0 || !code.Contain(pc) || !IsHeapObject(words[-2])) return {walked.frames, false};
        functions[walked.frames++] = words - 2;
        if (walked.frames == functions.size()) return walked;
      }
      next = words[0];
      pc = words[1];
    }
    if (next <= frame || !stack.Contain(next)) return {walked.frames, false};
    frame = next;
  }
  return {walked.frames, false};
}

}  // namespace memprof

#include "heap/stack_walk.h"

namespace memprof {

namespace {

// V8's markers of types of frames, which are those numbers twice.
constexpr uintptr_t kEntryMarker = 1 * 2;
constexpr uintptr_t kConstructEntryMarker = 2 * 2;
constexpr ptrdiff_t kLeftByWord = -8;   // of an entry frame
constexpr size_t kMostSteps = 1 << 16;  // more frames than fit on a thread's stack

}  // namespace

WalkedStack WalkStack(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                      std::span<const uintptr_t*> functions) {
  WalkedStack walked;
  if (left_by == 0) return walked;
  if (!stack.Contain(left_by)) return {0, false};
  uintptr_t frame = left_by;
  // Whether the frame is of code that V8 made, by the address its callee returns to. The first one is.
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
        // Frames by which JavaScript leaves are all of a type.
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

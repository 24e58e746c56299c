// Walks the JavaScript frames on a thread's stack as V8's own iterator does, in a hundredth of its time.
//
// All code that V8 generates links its frames by the frame pointer. Words of a frame, counted from there:
//
//   [1]   the return address
//   [0]   the caller's frame pointer
//   [-1]  a JavaScript frame: its context; any other frame: the marker of its type
//   [-2]  a JavaScript frame: its function
//   [-8]  an entry frame: the frame by which JavaScript had been left before, or 0
//
// An entry frame is where C++ entered JavaScript. Since it leads to the frame by which JavaScript had been
// left, the walk never looks at C++ frames, and it does not matter how those were compiled.
//
// Like V8's sampler, the walk sees machine frames only: a function that was inlined into another one has
// none.
//
// Thread safety: must be called on the thread whose stack it is, outside of GCs. Reads memory within
// `StackRange` only.

#ifndef MEMPROF_NATIVE_HEAP_STACK_WALK_H_
#define MEMPROF_NATIVE_HEAP_STACK_WALK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "heap/v8_layout.h"

namespace memprof {

// V8 marks the type of a frame with twice the type's number.
constexpr uintptr_t kEntryMarker = 1 * 2;
constexpr uintptr_t kConstructEntryMarker = 2 * 2;

// Walks from the frame that JavaScript left by (0: no JavaScript runs), leaf first, until the stack ends or
// `on_frame` returns false. It calls `on_frame` with the address of the word that holds the frame's function, and
// with the address at which the frame goes on, if it takes that.
// Such a word holds an object of V8's heap, but no function while the frame is being deoptimised. Returns
// false when the walk met something that the rules above do not cover, such as a separate stack of
// WebAssembly. There may be more frames then.
template <typename F>
[[gnu::always_inline]] inline bool WalkFrames(uintptr_t left_by, const StackRange& stack,
                                              const CodeRanges& code, F&& on_frame) {
  constexpr ptrdiff_t kLeftByWord = -8;   // in an entry frame
  constexpr size_t kMostSteps = 1 << 16;  // more frames than fit on a thread's stack
  if (left_by == 0) return true;
  if (!stack.Contain(left_by)) return false;
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
      if (next == 0) return true;
    } else {
      if (marker % 2 != 0) {
        // A frame by which JavaScript left (`pc` is 0) always has a type marker.
        if (pc == 0 || !code.Contain(pc) || !IsHeapObject(words[-2])) return false;
        bool goes_on;
        if constexpr (std::is_invocable_v<F&, const uintptr_t*, uintptr_t>) {
          goes_on = on_frame(words - 2, pc);
        } else {
          goes_on = on_frame(words - 2);
        }
        if (!goes_on) return true;
      }
      next = words[0];
      pc = words[1];
    }
    if (next <= frame || !stack.Contain(next)) return false;
    frame = next;
  }
  return false;
}

// Returns the word that holds the address at which the innermost JavaScript frame goes on, or null where there
// is none.
uintptr_t* FindReturn(uintptr_t left_by, const StackRange& stack);

struct WalkedStack {
  // How many elements of `functions` were set.
  size_t frames = 0;
  bool sure = true;  // what WalkFrames returned
};

// Sets the elements of `functions` to what `WalkFrames` finds, until all are set.
WalkedStack WalkStack(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                      std::span<const uintptr_t*> functions);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_STACK_WALK_H_

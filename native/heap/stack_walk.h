// Walks the frames of JavaScript on a thread's stack, as V8's own iterator does, in a hundredth of its time.
//
// All code that V8 makes links its frames by the frame pointer: [0] is the caller's, [1] the return address,
// [-1] the context of a frame of JavaScript or the marker of another type of frame, [-2] the function. Where
// JavaScript was entered from C++, the frame ([-1] is the marker of an entry) tells in [-8] by which frame
// JavaScript had been left before. So C++ frames are never looked at, and it does not matter how those were
// compiled.
//
// V8 counts machine frames too: a function that was inlined into another one is in neither's walk.
//
// Thread safety: on the thread whose stack it is, outside garbage collections. Reads memory within
// `StackRange` only.

#ifndef MEMPROF_NATIVE_HEAP_STACK_WALK_H_
#define MEMPROF_NATIVE_HEAP_STACK_WALK_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "heap/v8_layout.h"

namespace memprof {

struct WalkedStack {
  // Of the frames met, the addresses of the words that hold their functions. What such a word holds is an
  // object of V8's heap, but no function where a frame is just being taken apart (deoptimisation).
  size_t frames = 0;
  // False when something was met that the rules above do not cover (stacks of WebAssembly's own, say): there
  // may be more frames then.
  bool sure = true;
};

// From the frame that JavaScript left by (0: JavaScript does not run), leaf first, until `functions` is full
// or the stack ends.
WalkedStack WalkStack(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                      std::span<const uintptr_t*> functions);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_STACK_WALK_H_

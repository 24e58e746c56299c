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

#include "heap/v8_layout.h"

namespace memprof {

struct WalkedStack {
  // How many elements of `functions` were set.
  size_t frames = 0;
  // False when the walk met something that the rules above do not cover, such as a separate stack of
  // WebAssembly. There may be more frames then.
  bool sure = true;
};

// Walks from the frame that JavaScript left by (0: no JavaScript runs), leaf first, until `functions` is full
// or the stack ends. Sets each element to the address of the word that holds the frame's function. Such a
// word holds an object of V8's heap, but no function while the frame is being deoptimised.
WalkedStack WalkStack(uintptr_t left_by, const StackRange& stack, const CodeRanges& code,
                      std::span<const uintptr_t*> functions);

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_STACK_WALK_H_

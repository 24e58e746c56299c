// Stacks that were captured before, by the program counters of their frames: to walk those takes a tenth of
// the time that V8 takes to describe a stack.
//
// Thread safety: none; used on the isolate's thread.
//
// A program counter stands for one place in a script as long as its code, or bytecode, stays where it is. A
// major GC moves and frees both, and nothing else does: it must be told with `Clear`. Closures of one
// function have one code; that they can be given names of their own is not seen.

#ifndef MEMPROF_NATIVE_STACK_CACHE_H_
#define MEMPROF_NATIVE_STACK_CACHE_H_

#include <v8.h>

#include <cstdint>
#include <vector>

#include "base/arena.h"

namespace memprof {

class StackCache {
 public:
  // Takes memory only between `Start` and `Stop`.
  void Start() { entries_.assign(kEntries, {}); }
  void Stop() { entries_ = {}; }
  void Clear();

  // What is known of the stack at this moment. Must not be called inside a GC.
  Ref Find(v8::Isolate* isolate);
  // Of the stack that `Find` did not find, unless there was a `Clear` in between.
  void Remember(Ref stack);

 private:
  static constexpr size_t kEntries = 512;
  static constexpr size_t kMostFrames = 128;  // deeper stacks are not kept

  // Two hashes are as good as a comparison.
  struct Key {
    uint64_t first = 0;
    uint64_t second = 0;
    bool operator==(const Key&) const = default;
  };
  struct Entry {
    Key key;
    Ref stack = 0;
  };

  std::vector<Entry> entries_;
  Key looked_for_;
  bool may_remember_ = false;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_STACK_CACHE_H_

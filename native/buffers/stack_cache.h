// Stacks that were captured before, by the program counters of their frames. Walking the frames takes a tenth
// of the time that V8 takes to describe a stack.
//
// Thread safety: none; used on the isolate's thread.
//
// A program counter stands for one place in a script as long as its code, or bytecode, stays where it is.
// Only a major GC moves or frees either; `Clear` must be called after it. Closures of one function share
// their code, so names given to single closures are not seen.

#ifndef MEMPROF_NATIVE_BUFFERS_STACK_CACHE_H_
#define MEMPROF_NATIVE_BUFFERS_STACK_CACHE_H_

#include <v8.h>

#include <cstdint>
#include <vector>

#include "base/arena.h"

namespace memprof {

class StackCache {
 public:
  // Holds memory only between `Start` and `Stop`.
  void Start() { entries_.assign(kEntries, {}); }
  void Stop() { entries_ = {}; }
  void Clear();

  // The stack at this moment if it is known, otherwise 0. REQUIRES: no GC is under way.
  Ref Find(v8::Isolate* isolate);
  // Keeps the stack that `Find` did not find, unless `Clear` was called in between.
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

#endif  // MEMPROF_NATIVE_BUFFERS_STACK_CACHE_H_

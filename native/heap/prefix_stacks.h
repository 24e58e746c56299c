// Remembers where the beginnings of recent call paths are in the tables. To find a stack in the tables frame by
// frame takes two misses of the cache a frame, each of which must wait for the one before. Here, all beginnings
// of a path are looked up at once.
//
// Thread safety: none.
//
// Invariants:
// (1) A beginning is named by its sum (see CallPaths), and two are taken for the same when their sums are.
// (2) It may forget any of them at any time: a later one takes its place. Before `Start`, it remembers none.

#ifndef MEMPROF_NATIVE_HEAP_PREFIX_STACKS_H_
#define MEMPROF_NATIVE_HEAP_PREFIX_STACKS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "base/prefetch.h"

namespace memprof {

class PrefixStacks {
 public:
  // Allocates memory.
  void Start() { slots_.assign(kSlots, {}); }

  void Fetch(uint64_t sum) const {
    if (!slots_.empty()) Prefetch(&slots_[sum % kSlots]);
  }
  // 0 if it is not known.
  Ref Find(uint64_t sum) const {
    if (slots_.empty()) return 0;
    const Slot& slot = slots_[sum % kSlots];
    return slot.sum == sum ? slot.stack : 0;
  }
  void Put(uint64_t sum, Ref stack) {
    if (!slots_.empty()) slots_[sum % kSlots] = {sum, stack};
  }

  size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  static constexpr size_t kSlots = 4096;

  struct Slot {
    uint64_t sum = 0;
    Ref stack = 0;  // 0: empty
  };

  std::vector<Slot> slots_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_PREFIX_STACKS_H_

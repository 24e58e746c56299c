// The numbers of calls, by the sums of what tells one call from another. A stack of a program has dozens of calls, and
// between two samples the program evicts us from the caches: all places of a stack are fetched before the first is read.
//
// Thread safety: none.
//
// Invariants:
// (1) Two calls are taken for the same when their sums are. 0 is no sum of a call.

#ifndef MEMPROF_NATIVE_HEAP_CALL_NUMBERS_H_
#define MEMPROF_NATIVE_HEAP_CALL_NUMBERS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/prefetch.h"

namespace memprof {

class CallNumbers {
 public:
  void Fetch(uint64_t sum) const {
    if (!slots_.empty()) Prefetch(&slots_[sum & (slots_.size() - 1)]);
  }
  // The call's number. A call that is not known gets `next`, which is not 0.
  uint32_t FindOrAdd(uint64_t sum, uint32_t next) {
    if (2 * (used_ + 1) > slots_.size()) Grow();
    Slot& slot = SlotFor(sum);
    if (slot.number != 0) return slot.number;
    slot = {sum, next};
    ++used_;
    return next;
  }
  void Clear() {
    slots_ = std::vector<Slot>();
    used_ = 0;
  }
  size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  static constexpr size_t kSmallest = 1024;

  struct Slot {
    uint64_t sum = 0;
    uint32_t number = 0;  // 0: empty
  };

  // The call's, or the empty one where it belongs.
  Slot& SlotFor(uint64_t sum) {
    size_t mask = slots_.size() - 1;
    size_t at = sum & mask;
    while (slots_[at].number != 0 && slots_[at].sum != sum) at = (at + 1) & mask;
    return slots_[at];
  }
  void Grow() {
    std::vector<Slot> before(slots_.empty() ? kSmallest : 2 * slots_.size());
    before.swap(slots_);
    for (const Slot& slot : before) {
      if (slot.number != 0) SlotFor(slot.sum) = slot;
    }
  }

  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  size_t used_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CALL_NUMBERS_H_

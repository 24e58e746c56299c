// The memory of the process-wide tables: one reserved range of addresses, handed out by bumping an offset.
//
// Thread safety: every method may be called from any thread at any time; none takes a lock.
//
// Invariants:
// (1) Memory that was handed out was zeroed, is aligned to 8 bytes, and is never moved. It is never given back
//     once a second thread could know of it.
// (2) Every byte below `Committed()` is readable and writable.
// (3) `Used()` never exceeds the limit in force when the allocation was made.

#ifndef MEMPROF_NATIVE_BASE_ARENA_H_
#define MEMPROF_NATIVE_BASE_ARENA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace memprof {

// A position in the arena, in units of `Arena::kRefUnit` bytes; 0 is nowhere.
using Ref = uint32_t;

class Arena {
 public:
  static constexpr size_t kMaxLimit = size_t{1} << 30;
  static constexpr size_t kRefUnit = 8;

  // Reserves addresses, not memory. `ok()` is false when the system refuses.
  explicit Arena(size_t limit);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  bool ok() const { return base_ != nullptr; }

  // Takes effect for later allocations. A limit below `Used()` stops all of them.
  void SetLimit(size_t limit);
  size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  size_t Used() const { return used_.load(std::memory_order_relaxed); }
  size_t Committed() const { return committed_.load(std::memory_order_relaxed); }

  // Leaves at least `keep_free` bytes below the limit. Returns 0 when there is no room.
  // REQUIRES: `alignment` is a power of two of at least 8.
  Ref Allocate(size_t bytes, size_t alignment, size_t keep_free);

  // Whether that much is left.
  bool HasFree(size_t bytes) const {
    size_t limit = this->limit();
    size_t used = Used();
    return used <= limit && bytes <= limit - used;
  }

  // Takes back what `Allocate` gave last. It is wasted when anything was allocated since.
  // REQUIRES: nobody has been told of it, and it is all zero.
  void GiveBack(Ref ref, size_t bytes);

  // REQUIRES: `ref` came from `Allocate` of this arena.
  void* At(Ref ref) const { return base_ + size_t{ref} * kRefUnit; }
  bool Contains(Ref ref) const { return ref != 0 && size_t{ref} * kRefUnit < Used(); }

 private:
  bool Commit(size_t end);
  void TouchUpTo(size_t end);

  char* base_;
  std::atomic<size_t> limit_;
  std::atomic<size_t> used_;
  std::atomic<size_t> committed_;
  std::atomic<size_t> touched_;  // what lies above has no pages yet
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_ARENA_H_

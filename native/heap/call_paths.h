// The call paths of one isolate. A path is a list of function ids, and is named by a number. Memory is
// touched as little as possible, because between two samples the program evicts us from the caches: a path is
// found by one sum, and a new one is kept as what it adds to the path that was interned before it.
//
// Thread safety: `Intern` belongs to the isolate's thread. Meanwhile, other threads may ask for the paths whose
// numbers they were given; of what they find, only what is atomic changes.
//
// Invariants:
// (1) Paths do not move and keep their numbers. 0 is no path.
// (2) A path's sum is that of a term for each of its functions, so the sum of a beginning of it is its own less
//     the terms of the rest. Two paths are taken for equal when their sums and their lengths are.
// (3) Following `base` ends at a path without base after at most `kMostBases` steps.

#ifndef MEMPROF_NATIVE_HEAP_CALL_PATHS_H_
#define MEMPROF_NATIVE_HEAP_CALL_PATHS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/arena.h"
#include "base/hash.h"

namespace memprof {

class CallPaths {
 public:
  static constexpr uint32_t kMostBases = 15;

  struct Path {
    uint64_t sum = 0;
    uint32_t count = 0;   // of functions
    uint32_t base = 0;    // the path that has the same `shared` outermost functions; 0: none, `shared` is 0
    uint32_t shared = 0;  // less than `count`
    uint32_t added = 0;   // where the other functions are
    uint32_t bases = 0;
    // For StackResolver: the same path in the process's tables, 0 while it is not known; and whether it may not
    // have all functions there.
    std::atomic<bool> cut{false};
    std::atomic<Ref> stack{0};
  };

  CallPaths() = default;
  CallPaths(const CallPaths&) = delete;
  CallPaths& operator=(const CallPaths&) = delete;

  // `functions` is a path, leaf first, and not empty. It has at most `kLongest` functions. 0 when there is no room.
  uint32_t Intern(std::span<const uint32_t> functions);

  Path& At(uint32_t path) { return chunks_[(path - 1) / kChunk][(path - 1) % kChunk]; }
  const Path& At(uint32_t path) const { return chunks_[(path - 1) / kChunk][(path - 1) % kChunk]; }

  Ref StackOf(uint32_t path) const { return At(path).stack.load(std::memory_order_acquire); }

  // The functions that the path does not share with its base, outermost first.
  std::span<const uint32_t> AddedBy(const Path& path) const {
    return {added_[path.added / kAddedChunk].get() + path.added % kAddedChunk, path.count - path.shared};
  }
  // All functions of a path, outermost first.
  std::vector<uint32_t> FunctionsOf(uint32_t path) const;

  // A hash of the function and of its place, which is 0 for the outermost one.
  static uint64_t TermOf(size_t place, uint32_t function) {
    return Mix((uint64_t{place + 1} << 32) + function);
  }

  size_t size() const { return used_; }
  size_t bytes() const {
    return sizeof(*this) + chunk_count_ * kChunk * sizeof(Path) +
           added_count_ * kAddedChunk * sizeof(uint32_t) + index_.capacity() * sizeof(Slot) +
           before_.capacity() * sizeof(uint32_t);
  }

  static constexpr size_t kLongest = 1 << 13;

 private:
  static constexpr size_t kChunk = 256;
  static constexpr size_t kMostChunks = 1024;
  static constexpr size_t kAddedChunk = kLongest;
  static constexpr size_t kMostAddedChunks = 1024;
  static constexpr size_t kSmallestIndex = 1024;

  struct Slot {
    uint32_t tag = 0;   // the upper half of the sum
    uint32_t path = 0;  // 0: empty
  };

  static uint64_t SumOf(std::span<const uint32_t> functions);
  uint32_t Find(uint64_t sum, size_t count) const;
  uint32_t Add(std::span<const uint32_t> functions, uint64_t sum);
  bool MakeRoomFor(size_t count);
  void Index(uint32_t path, uint64_t sum);
  void Grow();

  // These do not grow, so that other threads may read them.
  std::array<std::unique_ptr<Path[]>, kMostChunks> chunks_;
  std::array<std::unique_ptr<uint32_t[]>, kMostAddedChunks> added_;  // a path's functions are in one chunk
  size_t chunk_count_ = 0;
  size_t added_count_ = 0;
  size_t added_used_ = 0;
  std::vector<Slot> index_;  // open addressing, a power of two, at most half full
  size_t mask_ = 0;
  size_t used_ = 0;
  std::vector<uint32_t> before_;  // the functions of the path that was interned before, leaf first
  uint32_t path_before_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CALL_PATHS_H_

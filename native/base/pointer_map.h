// A bounded hash map from addresses to small values, which knows the sampled buffers that are alive. Unlike
// the tables, it lets entries be removed.
//
// Thread safety: every method may be called from any thread at any time; none takes a lock or waits.
//
// REQUIRES: a thread that removes an address has synchronised with the one that inserted it, as owners of
// memory do, and removes it before the memory is given back. So no two threads ever insert or remove the same
// address at the same time; they only compete for slots.
//
// Invariants:
// (1) An address lies in one of the lines of its own short probe sequence, which begins at its home line.
// (2) A line's `spilled` counts the entries that passed it by because it was full. It is raised before such
//     an entry is put into a later line, and lowered after the entry is gone: where it is 0, no later line
//     holds an entry that belongs here. One look at one line is usually enough to see that an address is
//     absent.
// (3) A slot's value is written after the slot was claimed (acquire) and read before it is given up
//     (release), so each of the threads that own a slot in turn sees only its own value.
// (4) Memory is reserved once and touched only where entries have been. The first tier fits into a cache.
// (5) A filter in front of the lines, small enough for the first-level cache, counts the entries (in the map
//     or on their way in) whose hashes begin alike. A thread that removes an address finds at least that
//     entry counted. Where the count is 0, as it is for most addresses while there are few entries, no line
//     is read.

#ifndef MEMPROF_NATIVE_BASE_POINTER_MAP_H_
#define MEMPROF_NATIVE_BASE_POINTER_MAP_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/hash.h"
#include "base/page_memory.h"

namespace memprof {

template <typename Value>
class PointerMap {
  static_assert(std::is_trivially_copyable_v<Value>);

 public:
  static constexpr size_t kTiers = 3;
  // Lines of each tier, powers of two from 2 on; by default 28,672 entries in 256 KiB, 114,688 in
  // 1 MiB, 917,504 in 8 MiB.
  using Lines = std::array<size_t, kTiers>;
  static constexpr Lines kDefaultLines{4096, 16384, 131072};

  explicit PointerMap(const Lines& lines = kDefaultLines)
      : key_memory_(Total(lines) * sizeof(Line)), value_memory_(Total(lines) * sizeof(Values)) {
    Line* at = static_cast<Line*>(key_memory_.at());
    for (size_t tier = 0; tier < kTiers; ++tier) {
      tiers_[tier] = {at, 64 - std::countr_zero(lines[tier]), lines[tier] - 1};
      if (at != nullptr) at += lines[tier];
    }
  }
  PointerMap(const PointerMap&) = delete;
  PointerMap& operator=(const PointerMap&) = delete;

  bool ok() const { return key_memory_.ok() && value_memory_.ok(); }
  size_t size() const { return size_.load(std::memory_order_relaxed); }
  // Of reserved memory, most of which is never touched.
  size_t bytes() const { return key_memory_.bytes() + value_memory_.bytes(); }

  // False when there is no room. REQUIRES: `pointer` is not null, and not in the map.
  bool Insert(const void* pointer, const Value& value) {
    uintptr_t key = reinterpret_cast<uintptr_t>(pointer);
    uint64_t hash = Hash(key);
    FilterOf(hash).fetch_add(1, std::memory_order_relaxed);
    for (size_t probe = 0; probe < kProbes; ++probe) {
      Line* line = LineAt(probe, hash);
      for (size_t slot = 0; slot < kKeys; ++slot) {
        uintptr_t none = 0;
        if (line->keys[slot].load(std::memory_order_relaxed) != 0) continue;
        if (!line->keys[slot].compare_exchange_strong(none, key, std::memory_order_acquire,
                                                      std::memory_order_relaxed)) {
          continue;
        }
        ValuesOf(line)->values[slot] = value;
        size_.fetch_add(1, std::memory_order_relaxed);
        return true;
      }
      line->spilled.fetch_add(1, std::memory_order_relaxed);
    }
    for (size_t probe = 0; probe < kProbes; ++probe) Unspill(LineAt(probe, hash));
    FilterOf(hash).fetch_sub(1, std::memory_order_relaxed);
    return false;
  }

  // False only if the address is not in the map. Reads none of the lines.
  bool MayHold(const void* pointer) const {
    return FilterOf(Hash(reinterpret_cast<uintptr_t>(pointer))).load(std::memory_order_relaxed) != 0;
  }

  // False when the address is not in the map.
  bool Remove(const void* pointer, Value* value) {
    if (!MayHold(pointer)) return false;
    uintptr_t key = reinterpret_cast<uintptr_t>(pointer);
    uint64_t hash = Hash(key);
    const Line* home = LineAt(0, hash);
    // No branch for each key: which of them matches cannot be predicted.
    bool here = false;
#pragma GCC unroll 7
    for (const std::atomic<uintptr_t>& each : home->keys) here |= each.load(std::memory_order_relaxed) == key;
    if (!here && home->spilled.load(std::memory_order_relaxed) == 0) [[likely]]
      return false;
    return RemoveFrom(key, hash, value);
  }

 private:
  static constexpr size_t kKeys = 7;
  // One line of each tier, and then some neighbours of the last one.
  static constexpr size_t kNeighbours = 3;
  static constexpr size_t kProbes = kTiers + kNeighbours;

  struct alignas(64) Line {
    std::atomic<uint64_t> spilled;
    std::atomic<uintptr_t> keys[kKeys];
  };
  static_assert(sizeof(Line) == 64);
  struct Values {
    Value values[kKeys];
  };
  struct Tier {
    Line* lines;
    int shift;
    size_t mask;
  };

  // Wide enough for all the entries that fit into the map.
  using FilterCount = std::atomic<uint32_t>;
  static constexpr int kFilterBits = 11;

  static size_t Total(const Lines& lines) { return lines[0] + lines[1] + lines[2]; }
  static uint64_t Hash(uintptr_t key) { return key * kGoldenRatio; }

  FilterCount& FilterOf(uint64_t hash) { return filter_[hash >> (64 - kFilterBits)]; }
  const FilterCount& FilterOf(uint64_t hash) const { return filter_[hash >> (64 - kFilterBits)]; }

  Line* LineAt(size_t probe, uint64_t hash) const {
    const Tier& tier = tiers_[probe < kTiers ? probe : kTiers - 1];
    size_t home = hash >> tier.shift;
    return &tier.lines[probe < kTiers ? home : (home + probe - kTiers + 1) & tier.mask];
  }

  Values* ValuesOf(const Line* line) const {
    return static_cast<Values*>(value_memory_.at()) + (line - tiers_[0].lines);
  }

  static void Unspill(Line* line) { line->spilled.fetch_sub(1, std::memory_order_relaxed); }

  [[gnu::noinline]] bool RemoveFrom(uintptr_t key, uint64_t hash, Value* value) {
    for (size_t probe = 0; probe < kProbes; ++probe) {
      Line* line = LineAt(probe, hash);
      for (size_t slot = 0; slot < kKeys; ++slot) {
        if (line->keys[slot].load(std::memory_order_relaxed) != key) continue;
        *value = ValuesOf(line)->values[slot];
        line->keys[slot].store(0, std::memory_order_release);
        size_.fetch_sub(1, std::memory_order_relaxed);
        FilterOf(hash).fetch_sub(1, std::memory_order_relaxed);
        for (size_t passed = 0; passed < probe; ++passed) Unspill(LineAt(passed, hash));
        return true;
      }
      if (line->spilled.load(std::memory_order_relaxed) == 0) return false;
    }
    return false;
  }

  PageMemory key_memory_;
  PageMemory value_memory_;
  Tier tiers_[kTiers];
  alignas(64) FilterCount filter_[size_t{1} << kFilterBits]{};
  alignas(64) std::atomic<size_t> size_{0};
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_POINTER_MAP_H_

// A hash map from ids to values that is swept after each harvest: entries that were not touched since the
// last sweep are removed.
//
// Thread safety: none; a map belongs to one isolate's thread.

#ifndef MEMPROF_NATIVE_BASE_SWEEP_MAP_H_
#define MEMPROF_NATIVE_BASE_SWEEP_MAP_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/hash.h"

namespace memprof {

// Open addressing with linear probing; removal shifts back, so there are no tombstones and memory follows the
// number of entries down as well as up.
template <typename Value>
class SweepMap {
 public:
  static constexpr uint64_t kNoId = ~uint64_t{0};

  SweepMap() { Allocate(kSmallest); }
  SweepMap(const SweepMap&) = delete;
  SweepMap& operator=(const SweepMap&) = delete;

  size_t size() const { return size_; }
  size_t capacity() const { return mask_ + 1; }
  size_t bytes() const { return capacity() * sizeof(Entry); }

  // Marks the entry as seen in this round and returns its value; `nullptr` when there is none. Valid until
  // the next Insert or Sweep.
  Value* Touch(uint64_t id) {
    Entry* entry = FindEntry(id);
    if (entry == nullptr) return nullptr;
    entry->round = round_;
    return &entry->value;
  }

  // The same, without the mark.
  const Value* Find(uint64_t id) {
    Entry* entry = FindEntry(id);
    return entry == nullptr ? nullptr : &entry->value;
  }

  // The new entry counts as seen. REQUIRES: `id` is not in the map, and is not kNoId.
  Value* Insert(uint64_t id, const Value& value) {
    if (TooFull(size_ + 1)) Rehash(capacity() * 2);
    ++size_;
    return Place(Entry{id, round_, value});
  }

  // Ends the round and begins the next. Entries that were not seen in it are passed to `gone(id, value)` and
  // removed; `stays(id, value)` is called for the others, perhaps twice.
  template <typename Gone, typename Stays>
  void Sweep(Gone&& gone, Stays&& stays) {
    for (size_t at = 0; at <= mask_;) {
      Entry& entry = entries_[at];
      if (entry.id == kNoId) {
        ++at;
      } else if (entry.round == round_) {
        stays(entry.id, entry.value);
        ++at;
      } else {
        gone(entry.id, entry.value);
        RemoveAt(at);  // may move another entry to `at`, so look there again
      }
    }
    ++round_;
    size_t enough = std::bit_ceil(size_ * 2 + kSmallest);
    if (size_ * kSparse < capacity() && enough < capacity()) Rehash(enough);
  }

  template <typename F>
  void ForEach(F&& f) {
    for (size_t at = 0; at <= mask_; ++at) {
      if (entries_[at].id != kNoId) f(entries_[at].id, entries_[at].value);
    }
  }

  void Clear() {
    size_ = 0;
    Allocate(kSmallest);
  }

 private:
  static constexpr size_t kSmallest = 64;
  static constexpr size_t kSparse = 8;  // slots for an entry: more are too many

  // Two thirds: probe sequences get long beyond that.
  bool TooFull(size_t entries) const { return entries * 3 > capacity() * 2; }

  struct Entry {
    uint64_t id = kNoId;
    uint32_t round = 0;
    Value value{};
  };

  Entry* FindEntry(uint64_t id) {
    for (size_t at = Home(id);; at = (at + 1) & mask_) {
      if (entries_[at].id == id) return &entries_[at];
      if (entries_[at].id == kNoId) return nullptr;
    }
  }

  size_t Home(uint64_t id) const { return (id * kGoldenRatio) >> shift_; }

  void Allocate(size_t capacity) {
    entries_ = std::make_unique<Entry[]>(capacity);
    mask_ = capacity - 1;
    shift_ = 64 - std::countr_zero(capacity);
  }

  Value* Place(const Entry& entry) {
    size_t at = Home(entry.id);
    while (entries_[at].id != kNoId) at = (at + 1) & mask_;
    entries_[at] = entry;
    return &entries_[at].value;
  }

  void Rehash(size_t capacity) {
    std::unique_ptr<Entry[]> old = std::move(entries_);
    size_t old_capacity = mask_ + 1;
    Allocate(capacity);
    for (size_t at = 0; at < old_capacity; ++at) {
      if (old[at].id != kNoId) Place(old[at]);
    }
  }

  void RemoveAt(size_t hole) {
    for (size_t at = (hole + 1) & mask_; entries_[at].id != kNoId; at = (at + 1) & mask_) {
      // An entry may move back to the hole only if that is not before its home.
      size_t from_home = (at - Home(entries_[at].id)) & mask_;
      size_t from_hole = (at - hole) & mask_;
      if (from_home < from_hole) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole].id = kNoId;
    --size_;
  }

  std::unique_ptr<Entry[]> entries_;
  size_t mask_ = 0;
  int shift_ = 0;
  size_t size_ = 0;
  uint32_t round_ = 1;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_SWEEP_MAP_H_

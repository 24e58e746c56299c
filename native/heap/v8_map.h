// Looks for a key in a JavaScript Map where it lies in V8's memory.
//
// Thread safety: none; the Map must not change meanwhile, and no GC may run.
//
// This is private memory of V8. `Doubting` reads it with reads that cannot fault, for a first look at a Map
// whose content is known; `Trusting` reads it plainly, once that look was right.

#ifndef MEMPROF_NATIVE_HEAP_V8_MAP_H_
#define MEMPROF_NATIVE_HEAP_V8_MAP_H_

#include <cstddef>
#include <cstdint>

#include "heap/safe_memory.h"

namespace memprof {

// V8's layout of a Map: the words of a JSMap, and those of its table (OrderedHashMap), which begins with V8's
// map and its length. Then come the counts, a word for each hash bucket, and the entries in the order of
// insertion.
inline constexpr size_t kTableWord = 3;
inline constexpr size_t kLengthWord = 1;
inline constexpr size_t kElementsWord = 2;
inline constexpr size_t kDeletedWord = 3;
inline constexpr size_t kBucketsWord = 4;
inline constexpr size_t kFirstBucketWord = 5;
inline constexpr size_t kWordsOfEntry = 3;  // key, value, link
// A context has one entry for each storage that is in use. In a larger Map nothing is looked for.
inline constexpr int32_t kMostEntries = 256;

// A small integer is the upper half of its word; the lower half is 0.
inline bool IsSmallInteger(uintptr_t word) { return static_cast<uint32_t>(word) == 0; }
inline int32_t SmallInteger(uintptr_t word) { return static_cast<int32_t>(word >> 32); }

// The address of a word of an object. The object may be garbage, so this is no arithmetic on pointers.
inline const uintptr_t* AddressOfWord(uintptr_t object, size_t index) {
  return reinterpret_cast<const uintptr_t*>(object - 1 + index * sizeof(uintptr_t));
}
inline bool IsObject(uintptr_t word) { return (word & 3) == 1; }

// Reads memory that is known to be there.
struct Trusting {
  static bool Read(const uintptr_t* at, uintptr_t* word) {
    *word = *at;
    return true;
  }
};

// Reads memory that may be anything.
struct Doubting {
  static bool Read(const uintptr_t* at, uintptr_t* word) { return ReadMemory(at, word); }
};

// The value of `key` in the Map. False where there is none, or where this is no Map as we know it.
template <typename Memory>
bool ValueIn(uintptr_t map, uintptr_t key, uintptr_t* value) {
  uintptr_t table;
  if (!IsObject(map) || !Memory::Read(AddressOfWord(map, kTableWord), &table) || !IsObject(table))
    return false;
  uintptr_t length, elements, deleted, buckets;
  if (!Memory::Read(AddressOfWord(table, kLengthWord), &length) ||
      !Memory::Read(AddressOfWord(table, kElementsWord), &elements) ||
      !Memory::Read(AddressOfWord(table, kDeletedWord), &deleted) ||
      !Memory::Read(AddressOfWord(table, kBucketsWord), &buckets)) {
    return false;
  }
  for (uintptr_t word : {length, elements, deleted, buckets}) {
    if (!IsSmallInteger(word) || SmallInteger(word) < 0 || SmallInteger(word) > 16 * kMostEntries)
      return false;
  }
  int32_t entries = SmallInteger(elements) + SmallInteger(deleted);
  size_t first = kFirstBucketWord + static_cast<size_t>(SmallInteger(buckets));
  if (entries > kMostEntries || first + static_cast<size_t>(entries) * kWordsOfEntry >
                                    kElementsWord + static_cast<size_t>(SmallInteger(length))) {
    return false;
  }
  for (size_t at = first; entries > 0; --entries, at += kWordsOfEntry) {
    uintptr_t found;
    if (!Memory::Read(AddressOfWord(table, at), &found)) return false;
    if (found == key) return Memory::Read(AddressOfWord(table, at + 1), value);
  }
  return false;
}

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_V8_MAP_H_

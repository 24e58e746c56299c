// The keys that all tables are given, their hash, and the order in which they come.

#ifndef MEMPROF_BENCH_TABLE_KEYS_H_
#define MEMPROF_BENCH_TABLE_KEYS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "base/seeded_hash.h"

namespace bench {

// A stack of 32 frames, as a profiler without a prefix tree would keep it.
struct StackKey {
  static constexpr const char* kName = "stack of 32 frames";
  std::array<uint32_t, 32> frames;
  // Without a call and without branches, for all tables.
  bool operator==(const StackKey& other) const {
    using Two [[gnu::vector_size(16)]] = uint64_t;
    Two differ{};
#pragma GCC unroll 8
    for (size_t i = 0; i < frames.size(); i += 4) {
      Two ours, theirs;
      memcpy(&ours, &frames[i], sizeof(ours));
      memcpy(&theirs, &other.frames[i], sizeof(theirs));
      differ |= ours ^ theirs;
    }
    return (differ[0] | differ[1]) == 0;
  }
  static StackKey Make(std::mt19937_64& random) {
    StackKey key;
    for (uint32_t& frame : key.frames) frame = static_cast<uint32_t>(random() % 20'000);
    return key;
  }
};

// What memprof's buckets are found by: (stack, size class, thread).
struct BucketKey {
  static constexpr const char* kName = "bucket";
  std::array<uint32_t, 3> parts;
  bool operator==(const BucketKey& other) const {
    return parts[0] == other.parts[0] && parts[1] == other.parts[1] && parts[2] == other.parts[2];
  }
  static BucketKey Make(std::mt19937_64& random) {
    return {{static_cast<uint32_t>(random()), static_cast<uint32_t>(random() % 128), 0}};
  }
};

// The same for every table: the one that memprof's tables have.
inline const memprof::SeededHash kHash(20260101);
inline uint64_t HashOf(const StackKey& key) {
  return kHash.OfBytes({reinterpret_cast<const char*>(key.frames.data()), sizeof(key.frames)});
}
inline uint64_t HashOf(const BucketKey& key) {
  return kHash.OfWords(uint64_t{key.parts[0]} << 32 | key.parts[1], key.parts[2]);
}

template <typename Key>
struct Hash {
  using is_avalanching = void;  // boost need not mix it again
  size_t operator()(const Key& key) const { return HashOf(key); }
};

template <typename Key>
std::vector<Key> MakeKeys(size_t count) {
  std::mt19937_64 random(count);
  std::vector<Key> keys(count);
  for (Key& key : keys) key = Key::Make(random);
  return keys;
}

// Indices of keys with Zipf's frequencies (exponent 1), as stacks of real programs come.
inline std::vector<uint32_t> ZipfOrder(size_t keys, size_t length, uint64_t seed) {
  std::vector<double> sums(keys);
  double sum = 0;
  for (size_t i = 0; i < keys; ++i) sums[i] = sum += 1.0 / static_cast<double>(i + 1);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, sum);
  std::vector<uint32_t> order(length);
  for (uint32_t& at : order) {
    at = static_cast<uint32_t>(std::lower_bound(sums.begin(), sums.end(), uniform(random)) - sums.begin());
  }
  return order;
}

}  // namespace bench

#endif  // MEMPROF_BENCH_TABLE_KEYS_H_

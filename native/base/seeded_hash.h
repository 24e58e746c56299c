// Hashes for the indices of tables. Each table of hashes draws its own seed, so nobody who chooses names or
// paths can make them meet in one place. Nothing outside the process may depend on them; hash.h has the
// hashes that never change.
//
// Thread safety: immutable.

#ifndef MEMPROF_NATIVE_BASE_SEEDED_HASH_H_
#define MEMPROF_NATIVE_BASE_SEEDED_HASH_H_

#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef _MSC_VER
#include <intrin.h>
#endif

#include "base/hash.h"

namespace memprof {

class SeededHash {
 public:
  explicit SeededHash(uint64_t seed)
      : first_(Mix(seed + kGoldenRatio)), second_(Mix(first_ + kGoldenRatio)) {}

  uint64_t OfWords(uint64_t a, uint64_t b) const { return Fold(a ^ first_, b ^ second_); }

  uint64_t OfBytes(std::string_view bytes) const {
    uint64_t hash = second_ ^ bytes.size();
    const char* at = bytes.data();
    size_t left = bytes.size();
    for (; left > 16; at += 16, left -= 16) hash = Fold(WordAt(at) ^ first_, WordAt(at + 8) ^ hash);
    uint64_t last[2] = {};
    if (left != 0) memcpy(last, at, left);  // an empty view may have no data at all
    return Fold(Fold(last[0] ^ first_, last[1] ^ hash) ^ first_, second_);
  }

 private:
  static uint64_t WordAt(const char* at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
  }

  // Both halves of the product, folded into one: each bit depends on all bits of both. What it multiplies by
  // is secret, so that no two inputs are known to meet.
  static uint64_t Fold(uint64_t a, uint64_t b) {
#ifdef _MSC_VER
    uint64_t high;
    uint64_t low = _umul128(a, b, &high);
    return low ^ high;
#else
    unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
#endif
  }

  uint64_t first_;
  uint64_t second_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BASE_SEEDED_HASH_H_

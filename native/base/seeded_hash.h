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
    Last last = LastOf(at, left, bytes.size());
    return Fold(Fold(last.low ^ first_, last.high ^ hash) ^ first_, second_);
  }

 private:
  struct Last {
    uint64_t low;
    uint64_t high;
  };

  // The last `left` of `size` bytes, at most 16 of them, in reads of fixed lengths that overlap: what is read
  // twice, or is 0, depends on the lengths alone.
  static Last LastOf(const char* at, size_t left, size_t size) {
    if (size >= 16) return {WordAt(at + left - 16), WordAt(at + left - 8)};
    if (left >= 8) return {WordAt(at), WordAt(at + left - 8)};
    if (left >= 4) return {HalfWordAt(at), HalfWordAt(at + left - 4)};
    if (left == 0) return {0, 0};  // an empty view may have no data at all
    auto byte = [at](size_t i) { return uint64_t{static_cast<unsigned char>(at[i])}; };
    return {byte(0) << 16 | byte(left / 2) << 8 | byte(left - 1), 0};
  }
  static uint64_t WordAt(const char* at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
  }
  static uint64_t HalfWordAt(const char* at) {
    uint32_t word;
    memcpy(&word, at, 4);
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

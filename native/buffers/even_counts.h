// Whole numbers in place of fractions, right on average, and close to the sum of the fractions for each
// stack. A fair coin for each buffer would do on average, but leave 600 buffers of one stack uncertain by
// several per cent.
//
// Thread safety: none; used on the isolate's thread.
//
// Rounding errors are kept for each stack, and every later count of the stack makes up for a quarter of them.
// It is the chance that changes, so no pattern of a program's allocations, such as every third buffer being
// kept, can fall in with a pattern of the counts.

#ifndef MEMPROF_NATIVE_BUFFERS_EVEN_COUNTS_H_
#define MEMPROF_NATIVE_BUFFERS_EVEN_COUNTS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/arena.h"
#include "base/hash.h"

namespace memprof {

class EvenCounts {
 public:
  // Begins anew.
  void Start(uint64_t seed) {
    errors_ = {};
    random_ = Mix(seed) | 1;
  }

  // A whole number, possibly 0, for a count that is not negative. Rounding is even for the buffers of one stack
  // and one set of labels.
  uint64_t Whole(Ref stack, uint32_t labels, double count) {
    if (count == 1) return 1;
    uint64_t key = uint64_t{labels} << 32 | stack;
    Error& error = errors_[(key * kGoldenRatio) >> (64 - kBits)];
    if (error.key != key) error = {.key = key};
    double whole = std::floor(count);
    if (Uniform() < count - whole + error.missing / 4) whole += 1;
    error.missing = std::clamp(error.missing + count - whole, -kMost, kMost);
    return static_cast<uint64_t>(whole);
  }

 private:
  struct Error {
    uint64_t key = 0;
    double missing = 0;
  };
  static constexpr int kBits = 8;
  // After a change of the thinning, or of sizes, an error may be left that fractions of 0 cannot make up for.
  static constexpr double kMost = 4;

  // In [0, 1).
  double Uniform() {
    random_ ^= random_ >> 12;
    random_ ^= random_ << 25;
    random_ ^= random_ >> 27;
    return static_cast<double>((random_ * 0x2545f4914f6cdd1du) >> 11) * 0x1p-53;
  }

  std::array<Error, size_t{1} << kBits> errors_{};
  uint64_t random_ = 1;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BUFFERS_EVEN_COUNTS_H_

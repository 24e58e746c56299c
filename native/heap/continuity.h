// Whether a sampler that runs goes on where ours was left, by the ids of its samples: for when signs that
// could deceive made us take it for another's.
//
// Thread safety: none; belongs to one isolate's thread.
//
// Ids rise by one with each sample, and a sample is taken every so many bytes on average. A sampler that
// began anew later is behind ours by all the samples ours had taken before; one with another interval runs
// at another speed. So when the highest id is where ours should be three times, with enough allocated in
// between, it is ours. To be wrong would stop somebody else's sampler: where ours had taken so few samples
// that the two could be confused, the answer is never yes.

#ifndef MEMPROF_NATIVE_HEAP_CONTINUITY_H_
#define MEMPROF_NATIVE_HEAP_CONTINUITY_H_

#include <cmath>
#include <cstdint>

namespace memprof {

class Continuity {
 public:
  static constexpr int kProofs = 3;
  static constexpr uint64_t kLeastTaken = 64;  // between two proofs

  // Ours had `id` as its highest when it was last sure to be ours, and `unsure` samples at most were taken
  // since.
  void Begin(uint64_t id, uint64_t unsure) {
    base_ = id;
    behind_ = id;
    taken_ = unsure;
    proofs_ = 0;
  }

  // `taken` samples should have been taken since the last call, by what was allocated; `highest` is the
  // highest id that the sampler shows, 0 where it shows none.
  bool Proves(uint64_t highest, uint64_t taken) {
    taken_ += taken;
    if (taken_ < kLeastTaken) return false;
    double expected = static_cast<double>(base_ + taken_);
    // Eight sigma, and a sixteenth for what is allocated where no sampler looks.
    double tolerance = 8 * std::sqrt(static_cast<double>(taken_)) + static_cast<double>(taken_) / 16;
    bool distinct = static_cast<double>(behind_) > 4 * tolerance;
    if (!distinct || std::abs(static_cast<double>(highest) - expected) > tolerance) {
      // Once out of step it is not ours; but the latest samples may be dead and so not to be seen.
      proofs_ = 0;
      return false;
    }
    base_ = highest;
    taken_ = 0;
    return ++proofs_ == kProofs;
  }

 private:
  uint64_t base_ = 0;    // the highest id that was in step
  uint64_t behind_ = 0;  // by how much another's would be behind
  uint64_t taken_ = 0;   // since `base_`
  int proofs_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CONTINUITY_H_

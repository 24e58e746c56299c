// Decides by the ids of its samples whether the sampler that is running continues ours. It is used
// when unreliable signs suggested that another profiler had replaced our sampler.
//
// Thread safety: none; belongs to one isolate's thread.
//
// Ids rise by one with each sample, and samples are taken at most once per interval of bytes on average (less
// often where objects are larger). So our sampler continues above its last id, and no faster than that.
// Another one, which began anew, is behind by all the samples that ours had taken, unless it is so much
// faster that it shows. When three looks in a row agree, with enough allocated between them, the sampler is
// ours. A wrong yes would stop somebody else's sampler: once so much has been allocated that another one at
// our speed could have come half as far as ours, the answer is always no.

#ifndef MEMPROF_NATIVE_HEAP_CONTINUITY_H_
#define MEMPROF_NATIVE_HEAP_CONTINUITY_H_

#include <cmath>
#include <cstdint>

namespace memprof {

class Continuity {
 public:
  static constexpr int kProofs = 3;
  static constexpr uint64_t kLeastTaken = 64;  // between two proofs

  // `id` is the highest one of our sampler from when it was certainly ours, and at most `unsure` samples were
  // taken since.
  void Begin(uint64_t id, uint64_t unsure) {
    base_ = id;
    behind_ = id;
    taken_ = total_ = unsure;
    proofs_ = 0;
  }

  // Judging by what was allocated, at most `taken` samples were taken since the last call. `highest` is the
  // highest id that the sampler shows, 0 if it shows none.
  bool Proves(uint64_t highest, uint64_t taken) {
    taken_ += taken;
    total_ += taken;
    if (taken_ < kLeastTaken) return false;
    double tolerance =
        kSigmas * std::sqrt(static_cast<double>(taken_)) + static_cast<double>(taken_) / kUnseenPart;
    double most = static_cast<double>(base_ + taken_) + tolerance;
    bool distinct = static_cast<double>(total_) + tolerance < static_cast<double>(behind_) / 2;
    bool in_step = highest > base_ && static_cast<double>(highest) <= most;
    proofs_ = distinct && in_step ? proofs_ + 1 : 0;
    // It may be ours all the same where it shows too few, as its latest samples are dead, or too many, as
    // V8's figure of what is used fell short. One such shortfall must not count at each look that follows.
    if (highest > base_) {
      base_ = highest;
      taken_ = 0;
    }
    return proofs_ == kProofs;
  }

  // In a row, up to now.
  int proofs() const { return proofs_; }

 private:
  static constexpr double kSigmas = 8;
  static constexpr double kUnseenPart = 16;  // a sixteenth may be allocated where no sampler looks

  uint64_t base_ = 0;    // the highest id that was seen
  uint64_t behind_ = 0;  // how far behind another sampler would be
  uint64_t taken_ = 0;   // since `base_`, at most
  uint64_t total_ = 0;   // since `Begin`, at most
  int proofs_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CONTINUITY_H_

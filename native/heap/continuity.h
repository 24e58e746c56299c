// Whether a sampler that runs goes on where ours was left, by the ids of its samples: for when signs that
// could deceive made us take it for another's.
//
// Thread safety: none; belongs to one isolate's thread.
//
// Ids rise by one with each sample, and no more are taken than one every so many bytes on average (fewer,
// where objects are larger than that). So ours goes on above the id it had, and no faster than this. Another,
// which began anew, is behind by all the samples ours had taken before, unless it is so much faster that it
// shows. When three looks in a row agree, with enough allocated in between, it is ours. To be wrong would
// stop somebody else's sampler: once so much was allocated that another of our speed could have come half as
// far, the answer is never yes.

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
    taken_ = total_ = unsure;
    proofs_ = 0;
  }

  // `taken` samples at most were taken since the last call, by what was allocated; `highest` is the
  // highest id that the sampler shows, 0 where it shows none.
  bool Proves(uint64_t highest, uint64_t taken) {
    taken_ += taken;
    total_ += taken;
    if (taken_ < kLeastTaken) return false;
    // Eight sigma, and a sixteenth for what is allocated where no sampler looks.
    double tolerance = 8 * std::sqrt(static_cast<double>(taken_)) + static_cast<double>(taken_) / 16;
    double most = static_cast<double>(base_ + taken_) + tolerance;
    bool distinct = static_cast<double>(total_) + tolerance < static_cast<double>(behind_) / 2;
    if (!distinct || highest <= base_ || static_cast<double>(highest) > most) {
      // It may be ours all the same, with its latest samples dead and so not to be seen.
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
  uint64_t taken_ = 0;   // since `base_`, at most
  uint64_t total_ = 0;   // since `Begin`, at most
  int proofs_ = 0;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_HEAP_CONTINUITY_H_

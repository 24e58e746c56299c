// Gives samples that were lost between two harvests to the stacks they most likely came from.
//
// Thread safety: none; belongs to one isolate's thread.
//
// When GCs go by without a harvest, samples of objects that died young are lost. How many is known from the
// gaps in the ids; what they were is not. Objects met in a harvest while pending and gone at the next one are
// of the same kind: allocated in one GC cycle and dead soon after. Those are the donors. The lost of a
// stretch get one half from the donors of the harvest before it (and of earlier ones, to at least `kPool`),
// and the other from those of the harvest after it, which are known one harvest later, unless a reader
// comes first. Each lost sample adds
// one allocation and one free to its donor's bucket, so figures in use are never touched.
//
// Invariant: imputed() + waiting() == all lost samples ever given to `NextStretch`.

#ifndef MEMPROF_NATIVE_IMPUTER_H_
#define MEMPROF_NATIVE_IMPUTER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "tables/profile_tables.h"

namespace memprof {

class Imputer {
 public:
  static constexpr size_t kPool = 16;
  // Of a harvest with more donors, so many stand for all.
  static constexpr size_t kMostKept = 4096;

  struct Donor {
    Ref bucket;
    uint64_t size;
  };

  explicit Imputer(ProfileTables* tables, uint64_t seed = 0);

  // A harvest with at least one GC since the one before: `lost` samples were lost between the two, and `gone`
  // are the samples that were pending at the earlier one and have died since.
  void NextStretch(uint64_t lost, std::span<const Donor> gone);
  // What waits is given to the donors there are, or to the record `(not attributed)`. For when no more will
  // come, or a reader wants the totals.
  void Flush();
  // Forgets all without counting it.
  void Clear();

  uint64_t imputed() const { return imputed_; }
  uint64_t waiting() const { return waiting_; }
  size_t bytes() const { return (before_.capacity() + scratch_.capacity()) * sizeof(Donor); }

 private:
  uint64_t Random();
  void Give(uint64_t lost, std::span<const Donor> donors);
  void KeepSome(std::span<const Donor> gone);

  ProfileTables* const tables_;
  uint64_t random_;
  uint64_t waiting_ = 0;
  uint64_t imputed_ = 0;
  std::vector<Donor> before_;  // donors known before the stretch whose lost samples wait, newest first
  std::vector<Donor> scratch_;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_IMPUTER_H_

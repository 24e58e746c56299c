// Assigns samples that were lost between two harvests to the stacks they most likely came from.
//
// Thread safety: none; belongs to one isolate's thread.
//
// When GCs go by without a harvest, samples of objects that died young are lost. The gaps in the ids show how
// many, but not what they were. Objects that are pending at one harvest and gone at the next are of the same
// kind: they were allocated in one GC cycle and died soon after. They are the donors. One half of the samples
// lost in a stretch goes to the donors of the harvest before it (and of earlier ones, up to at least
// `kPool`). The other half goes to those of the harvest after it, which are known one harvest later, unless a
// reader comes first. Each lost sample adds one allocation and one free to its donor's bucket, so figures in
// use are never touched.
//
// Invariant: imputed() + waiting() == all lost samples ever passed to `NextStretch`.

#ifndef MEMPROF_NATIVE_HEAP_IMPUTER_H_
#define MEMPROF_NATIVE_HEAP_IMPUTER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "tables/profile_tables.h"

namespace memprof {

class Imputer {
 public:
  static constexpr size_t kPool = 16;
  // Of the donors of one harvest, at most so many are kept, and stand for all.
  static constexpr size_t kMostKept = 4096;

  struct Donor {
    Ref bucket;
    uint64_t size;
  };

  explicit Imputer(ProfileTables* tables, uint64_t seed = 0);

  // Call it at each harvest that had at least one GC since the harvest before: `lost` samples were lost
  // between the two, and `gone` are those that were pending at the earlier one and have died since.
  void NextStretch(uint64_t lost, std::span<const Donor> gone);
  // Assigns the waiting samples to the donors there are, or to the record `(not attributed)`, because no more
  // donors will come or a reader wants the totals.
  void Flush();
  // Forgets everything without counting it.
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

#endif  // MEMPROF_NATIVE_HEAP_IMPUTER_H_

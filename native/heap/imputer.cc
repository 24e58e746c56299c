#include "heap/imputer.h"

#include <algorithm>

#include "base/hash.h"
#include "base/shrink.h"

namespace memprof {

namespace {

// When nothing is known of an object except that it was sampled, any small size gives the right number of
// bytes on average: a sampled object stands for size / (1 - exp(-size / interval)) bytes, which is close to
// the interval.
constexpr uint64_t kUnknownSize = 64;

}  // namespace

Imputer::Imputer(ProfileTables* tables, uint64_t seed)
    : tables_(tables), random_(seed != 0 ? seed : reinterpret_cast<uintptr_t>(this)) {}

uint64_t Imputer::Random() { return Mix(random_ += kGoldenRatio); }

void Imputer::Give(uint64_t lost, std::span<const Donor> donors) {
  if (lost == 0) return;
  // The donors take turns from a random start; each gets all its turns at once.
  size_t at = Random() % donors.size();
  uint64_t turns = lost / donors.size();
  uint64_t rest = lost % donors.size();
  uint64_t receiving = turns == 0 ? rest : donors.size();
  for (uint64_t i = 0; i < receiving; ++i) {
    const Donor& donor = donors[at];
    uint64_t count = turns + (i < rest ? 1 : 0);
    Bucket* bucket = tables_->BucketAt(donor.bucket);
    bucket->AddAlloc(count, count * donor.size);
    bucket->AddFree(count, count * donor.size);
    if (++at == donors.size()) at = 0;
  }
  imputed_ += lost;
  waiting_ -= lost;
}

void Imputer::NextStretch(uint64_t lost, std::span<const Donor> gone) {
  if (waiting_ != 0 && !(before_.empty() && gone.empty())) {
    uint64_t to_before = gone.empty() ? waiting_ : before_.empty() ? 0 : (waiting_ + (Random() & 1)) / 2;
    uint64_t to_gone = waiting_ - to_before;
    Give(to_before, before_);
    Give(to_gone, gone);
  }
  waiting_ += lost;
  if (gone.size() > kMostKept) {
    KeepSome(gone);
  } else if (gone.size() >= kPool) {
    before_.assign(gone.begin(), gone.end());
  } else if (!gone.empty()) {
    scratch_.assign(gone.begin(), gone.end());
    size_t kept = std::min(before_.size(), kPool - gone.size());
    scratch_.insert(scratch_.end(), before_.begin(), before_.begin() + kept);
    before_.swap(scratch_);
  }
  ShrinkToUse(&before_);
  scratch_.clear();
  ShrinkToUse(&scratch_);
}

// Keeps one of each of `kMostKept` stretches of about the same length, so that all have the same chance.
void Imputer::KeepSome(std::span<const Donor> gone) {
  before_.clear();
  for (size_t i = 0; i < kMostKept; ++i) {
    size_t begin = gone.size() * i / kMostKept;
    size_t end = gone.size() * (i + 1) / kMostKept;
    before_.push_back(gone[begin + Random() % (end - begin)]);
  }
}

void Imputer::Flush() {
  if (waiting_ == 0) return;
  if (!before_.empty()) return Give(waiting_, before_);
  Bucket* bucket = tables_->BucketAt(tables_->BucketFor(tables_->not_attributed_stack(), kUnknownSize));
  bucket->AddAlloc(waiting_, waiting_ * kUnknownSize);
  bucket->AddFree(waiting_, waiting_ * kUnknownSize);
  imputed_ += waiting_;
  waiting_ = 0;
}

void Imputer::Clear() {
  before_.clear();
  ShrinkToUse(&before_);
  waiting_ = 0;
}

}  // namespace memprof
